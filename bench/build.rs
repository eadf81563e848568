//! Compiles proto/shop.proto without a protoc: Rust for the gRPC service, and the descriptor set for Envoy. The latter is
//! encoded by protox itself, because prost's types would lose the routes, which are options it does not know.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).open_file("shop.proto")?;
    std::fs::write(out.join("shop.pb"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().build_client(false).compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
