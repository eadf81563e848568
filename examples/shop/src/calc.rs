//! A calculator: the smallest service there is.

use callgate_sdk::{Status, service};

/// Arithmetic.
///
/// In JSON a call's arguments are an object with their names: `{"a": 1, "b": 2}`.
#[service]
pub trait Calc {
    /// Adds two integers; `out_of_range` if the sum does not fit 64 bits.
    #[idempotent]
    async fn add(&self, a: i64, b: i64) -> Result<i64, Status>;

    /// Divides; by zero is an `invalid_argument`.
    #[idempotent]
    async fn divide(&self, a: f64, b: f64) -> Result<f64, Status>;
}

/// The implementation. It keeps nothing between calls; what a service keeps are fields, shared by all calls.
#[derive(Debug)]
pub struct Calculator;

impl Calc for Calculator {
    async fn add(&self, a: i64, b: i64) -> Result<i64, Status> {
        a.checked_add(b).ok_or_else(|| Status::out_of_range("the sum does not fit 64 bits"))
    }

    async fn divide(&self, a: f64, b: f64) -> Result<f64, Status> {
        if b == 0.0 {
            return Err(Status::invalid_argument("division by zero"));
        }
        Ok(a / b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_sdk::Code;

    #[tokio::test]
    async fn a_sum_that_does_not_fit_is_out_of_range() {
        assert_eq!(Calculator.add(20, 22).await, Ok(42));
        let overflow = Calculator.add(i64::MAX, 1).await;
        assert_eq!(overflow.map_err(|status| status.code), Err(Code::OutOfRange));
    }

    #[tokio::test]
    async fn division_by_zero_is_an_invalid_argument() {
        assert_eq!(Calculator.divide(1.0, 4.0).await, Ok(0.25));
        let by_zero = Calculator.divide(1.0, -0.0).await;
        assert_eq!(by_zero.map_err(|status| status.code), Err(Code::InvalidArgument));
    }
}
