//! Numbers as mathematics has them: integers of any type and floats compare by their values, and none is rounded for that.

use std::cmp::Ordering;

/// A number. An integer that fits the first is never the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    Large(u128),
    Float(f64),
}

/// 2 to the power of 127: the first float that no `i128` is as large as.
const TWO_127: f64 = (1_u128 << 127) as f64;

impl Number {
    pub(crate) fn of_unsigned(value: u128) -> Number {
        i128::try_from(value).map_or(Number::Large(value), Number::Integer)
    }

    /// Their order. `None` if one is a float that is no number.
    #[inline]
    pub(crate) fn compare(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(one), Number::Integer(other)) => Some(one.cmp(&other)),
            (Number::Float(one), Number::Float(other)) => one.partial_cmp(&other),
            (Number::Large(one), Number::Large(other)) => Some(one.cmp(&other)),
            (Number::Large(_), Number::Integer(_)) => Some(Ordering::Greater),
            (Number::Integer(_), Number::Large(_)) => Some(Ordering::Less),
            (one, Number::Float(other)) => one.with_float(other),
            (Number::Float(one), other) => other.with_float(one).map(Ordering::reverse),
        }
    }

    /// The order of an integer and a float.
    fn with_float(self, float: f64) -> Option<Ordering> {
        let whole = float.trunc();
        let order = match self {
            _ if float.is_nan() => return None,
            Number::Integer(_) if whole >= TWO_127 => Ordering::Less,
            Number::Integer(_) if whole < -TWO_127 => Ordering::Greater,
            // Between these a float without a fraction is an integer exactly.
            Number::Integer(integer) => integer.cmp(&(whole as i128)),
            Number::Large(_) if whole >= 2.0 * TWO_127 => Ordering::Less,
            Number::Large(_) if whole < TWO_127 => Ordering::Greater,
            Number::Large(integer) => integer.cmp(&(whole as u128)),
            Number::Float(one) => return one.partial_cmp(&float),
        };
        Some(order.then_with(|| {
            if float > whole {
                Ordering::Less
            } else if float < whole {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::Number::{self, Float, Integer, Large};
    use super::TWO_127;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    #[test]
    fn numbers_are_in_one_order_whatever_their_types() {
        let two_53 = 9_007_199_254_740_992;
        // In their order; those of one row are equal.
        let rows: &[&[Number]] = &[
            &[Float(f64::NEG_INFINITY)],
            &[Float(-1e300)],
            &[Integer(i128::MIN), Float(-TWO_127)],
            &[Integer(i128::MIN + 1)],
            &[Integer(-2), Float(-2.0)],
            &[Float(-1.5)],
            &[Integer(-1)],
            &[Float(-0.5)],
            &[Integer(0), Float(0.0), Float(-0.0)],
            &[Float(f64::MIN_POSITIVE)],
            &[Float(0.1)],
            &[Integer(1), Float(1.0)],
            &[Float(1.5)],
            &[Integer(two_53), Float(two_53 as f64)],
            &[Integer(two_53 + 1)],
            &[Integer(two_53 + 2), Float((two_53 + 2) as f64)],
            &[Integer(u64::MAX as i128)],
            &[Integer(1 << 64), Float(18_446_744_073_709_551_616.0)],
            &[Integer(i128::MAX)],
            &[Large(1 << 127), Float(TWO_127)],
            &[Large((1 << 127) + 1)],
            &[Large(u128::MAX)],
            &[Float(2.0 * TWO_127)],
            &[Float(f64::INFINITY)],
        ];
        for (at, row) in rows.iter().enumerate() {
            for (other_at, other) in rows.iter().enumerate() {
                let expected: Ordering = at.cmp(&other_at);
                for (one, other) in row.iter().flat_map(|one| other.iter().map(move |other| (one, other))) {
                    assert_eq!(one.compare(*other), Some(expected), "{one:?} {other:?}");
                }
            }
        }
        assert_eq!(
            (Integer(1).compare(Integer(2)), Large(u128::MAX).compare(Integer(0))),
            (Some(Less), Some(Greater))
        );
        assert_eq!(Number::of_unsigned(7).compare(Integer(7)), Some(Equal));
    }

    #[test]
    fn what_is_no_number_has_no_order() {
        for other in [Integer(1), Large(u128::MAX), Float(1.0), Float(f64::NAN)] {
            assert_eq!(Float(f64::NAN).compare(other), None);
            assert_eq!(other.compare(Float(f64::NAN)), None);
        }
    }
}
