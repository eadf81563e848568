//! The errors that methods declare, as instances send them: read by the schema of the instance that sends them.

use super::programs::Program;
use crate::config::EndpointAddr;
use crate::failure::{DeclaredError, MethodFailure};
use callgate_protocol::Status;
use callgate_transcode::MethodError;

/// An error takes so many bytes at most, and so does its JSON. It is made where it is read, in one step.
const MAX_ERROR: usize = 64 * 1024;

impl Program {
    /// How the method has failed, by what the instance at `endpoint` says of it. An error that the schema does not have is none: the
    /// failure is then one without.
    pub(super) fn failure(&self, mut status: Status, endpoint: &EndpointAddr) -> Box<MethodFailure> {
        let Some(encoded) = status.error.take() else {
            return status.into();
        };
        match self.declared(&encoded) {
            Ok(MethodError { variant, code, details, .. }) => {
                status.code = code;
                let error = DeclaredError { method: self.method.clone(), name: variant.to_owned(), details };
                Box::new(MethodFailure { status, error: Some(Box::new(error)) })
            }
            Err(error) => {
                let method = &*self.method;
                tracing::warn!(%endpoint, method, error, "an instance sends an error that its schema does not have");
                status.into()
            }
        }
    }

    fn declared(&self, encoded: &[u8]) -> Result<MethodError<'_>, String> {
        let Some(program) = &self.shared.errors else {
            return Err("the method declares none".to_owned());
        };
        if encoded.len() > MAX_ERROR {
            return Err(format!("it is longer than {MAX_ERROR} bytes"));
        }
        program.decode(encoded, MAX_ERROR).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::callgate::transcoders::Transcoder;
    use callgate_protocol::schema::{
        Attributes, Definition, EnumDef, MethodSchema, Shape, StructDef, Type, Variant,
    };
    use callgate_protocol::{CallId, Code, Streaming};
    use callgate_transcode::{
        ErrorProgram, Layout, RequestBinding, RequestProgram, ResponseBinding, ResponseProgram,
    };
    use std::rc::Rc;
    use std::sync::Arc;

    /// A method that fails with `Gone`, which says nothing more, or with `Late` and a text; if it declares that.
    fn program(declares: bool) -> Program {
        let coded = |name, shape, code| Variant {
            attributes: Attributes::default().with_code(code),
            ..Variant::new(name, shape)
        };
        let gone = coded("Gone", Shape::Unit, Code::NotFound);
        let late = coded("Late", Shape::Newtype(Type::String), Code::Aborted);
        let definitions = vec![
            Definition::Struct(StructDef::new("Request", Vec::new())),
            Definition::Enum(EnumDef::new("Error", vec![gone, late])),
        ];
        let error = declares.then_some(Type::Ref(1));
        let schema = MethodSchema { error, ..MethodSchema::new(Type::Ref(0), Type::Unit, definitions) };
        let layout = Arc::new(Layout::new(&schema).expect("it is sound"));
        let (request, response) = (RequestBinding::default(), ResponseBinding::default());
        let shared = Transcoder {
            rules: None,
            call_id: CallId::of("s", "m"),
            request: RequestProgram::bind(layout.clone(), &request).expect("nothing to bind"),
            response: Rc::new(ResponseProgram::bind(layout.clone(), &response).expect("nothing to bind")),
            errors: ErrorProgram::bind(layout, &response),
        };
        let streams = Streaming::default();
        Program { shared: Rc::new(shared), method: "s.m".into(), idempotent: false, streams, reply: None }
    }

    fn failure(declares: bool, status: Status) -> MethodFailure {
        let endpoint = EndpointAddr::Tcp { host: "peer".to_owned(), port: 1 };
        *program(declares).failure(status, &endpoint)
    }

    #[test]
    fn an_error_has_the_name_and_the_code_of_the_schema() {
        for (encoded, code, name, details) in [
            (vec![0], Code::NotFound, "Gone", None),
            (b"\x01\x02hi".to_vec(), Code::Aborted, "Late", Some("\"hi\"")),
        ] {
            // The code beside it is another.
            let status = Status::internal("why").with_retry_after_ms(5).not_executed().with_error(encoded);
            let MethodFailure { status, error } = failure(true, status);
            assert_eq!((status.code, &*status.message, &status.error), (code, "why", &None));
            assert_eq!((status.retry_after_ms, status.not_executed), (Some(5), true));
            let error = error.expect("it is declared");
            assert_eq!((&*error.method, &*error.name, error.details.as_deref()), ("s.m", name, details));
        }
    }

    #[test]
    fn an_error_that_the_schema_does_not_have_is_a_failure_without() {
        let long = [&[1, 251, 0xff, 0xff][..], &[b'a'; 0xffff]].concat();
        for (declares, encoded) in [
            (true, vec![]),
            (true, vec![2]),
            (true, vec![0, 0]),
            (true, vec![1]),
            (true, vec![1, 1, 0xff]),
            (true, long),
            (false, vec![0]),
        ] {
            let status = Status::unavailable("why").with_error(encoded.clone());
            let MethodFailure { status, error } = failure(declares, status);
            assert_eq!(
                (status.code, &*status.message, error),
                (Code::Unavailable, "why", None),
                "{encoded:?}"
            );
        }
        let MethodFailure { status, error } = failure(true, Status::aborted("why").with_details("1"));
        assert_eq!((status.details.as_deref(), error), (Some("1"), None));
    }
}
