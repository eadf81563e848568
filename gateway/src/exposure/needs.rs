//! What a way in asks of whoever comes by it, and when one asks at least as much as another.
//!
//! It is kept on disk and compared with what another version of the gateway makes of another table. So it is plain words, and what is not
//! understood is never taken for stricter than what was there.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is asked, by what it is asked of: all of it. Nothing is asked where there is nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Needs(BTreeMap<String, Need>);

/// One thing that is asked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// To be exactly this.
    Is(String),
    /// To be one of these.
    OneOf(BTreeSet<String>),
    /// To have all of these.
    AllOf(BTreeSet<String>),
    /// To be no more than this.
    AtMost(u64),
    /// To come from one of these networks.
    Within(BTreeSet<IpNet>),
    /// To come from none of these networks.
    Outside(BTreeSet<IpNet>),
    /// What one of these asks.
    AnyOf(Vec<Needs>),
    /// What each of these asks.
    Each(Vec<Needs>),
}

impl Needs {
    /// Asks this as well.
    pub fn with(mut self, what: impl Into<String>, need: Need) -> Needs {
        self.0.insert(what.into(), need);
        self
    }

    /// What is asked of something.
    pub fn of(&self, what: &str) -> Option<&Need> {
        self.0.get(what)
    }

    /// Whether nothing is asked.
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether whoever has what these ask has what the others ask, too.
    pub fn imply(&self, others: &Needs) -> bool {
        others.0.iter().all(|(what, need)| self.0.get(what).is_some_and(|own| own.implies(need)))
    }
}

impl Need {
    /// One that lists texts.
    pub fn one_of(texts: impl IntoIterator<Item = impl Into<String>>) -> Need {
        Need::OneOf(texts.into_iter().map(Into::into).collect())
    }

    fn implies(&self, other: &Need) -> bool {
        match (self, other) {
            (Need::Is(own), Need::Is(other)) => own == other,
            (Need::OneOf(own), Need::OneOf(other)) => own.is_subset(other),
            (Need::AllOf(own), Need::AllOf(other)) => own.is_superset(other),
            (Need::AtMost(own), Need::AtMost(other)) => own <= other,
            (Need::Within(own), Need::Within(other)) => all_lie_in(own, other),
            (Need::Outside(own), Need::Outside(other)) => all_lie_in(other, own),
            (Need::AnyOf(own), Need::AnyOf(other)) => {
                own.iter().all(|own| other.iter().any(|other| own.imply(other)))
            }
            (Need::Each(own), Need::Each(other)) => {
                other.iter().all(|other| own.iter().any(|own| own.imply(other)))
            }
            _ => false,
        }
    }
}

/// Whether each network lies in one of the others. Several that are one together count for less than that one, which is the safe side.
fn all_lie_in(networks: &BTreeSet<IpNet>, others: &BTreeSet<IpNet>) -> bool {
    networks.iter().all(|network| others.iter().any(|other| other.contains(network)))
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.are_none() {
            return f.write_str("nothing");
        }
        for (at, (what, need)) in self.0.iter().enumerate() {
            write!(f, "{}{what} {need}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: fmt::Display>(
            f: &mut fmt::Formatter<'_>,
            all: impl IntoIterator<Item = T>,
            between: &str,
        ) -> fmt::Result {
            for (at, one) in all.into_iter().enumerate() {
                write!(f, "{}{one}", if at == 0 { "" } else { between })?;
            }
            Ok(())
        }
        match self {
            Need::Is(text) => f.write_str(text),
            Need::OneOf(texts) if texts.is_empty() => f.write_str("nobody's"),
            Need::OneOf(texts) => list(f, texts, " or "),
            Need::AllOf(texts) => list(f, texts, " and "),
            Need::AtMost(most) => write!(f, "at most {most}"),
            Need::Within(networks) => list(f, networks, " or "),
            Need::Outside(networks) => f.write_str("not ").and_then(|()| list(f, networks, " nor ")),
            Need::AnyOf(all) => list(f, all.iter().map(|one| format!("({one})")), " or "),
            Need::Each(all) => list(f, all.iter().map(|one| format!("({one})")), " and "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    /// Somebody who comes: for each thing that may be asked, what he is and what he has.
    #[derive(Clone, Debug)]
    struct Caller {
        is: String,
        has: BTreeSet<String>,
        number: u64,
        address: IpNet,
    }

    fn admits(needs: &Needs, caller: &Caller) -> bool {
        needs.0.values().all(|need| match need {
            Need::Is(text) => *text == caller.is,
            Need::OneOf(texts) => texts.contains(&caller.is),
            Need::AllOf(texts) => texts.is_subset(&caller.has),
            Need::AtMost(most) => caller.number <= *most,
            Need::Within(networks) => networks.iter().any(|network| network.contains(&caller.address)),
            Need::Outside(networks) => !networks.iter().any(|network| network.contains(&caller.address)),
            Need::AnyOf(all) => all.iter().any(|one| admits(one, caller)),
            Need::Each(all) => all.iter().all(|one| admits(one, caller)),
        })
    }

    fn text() -> impl Strategy<Value = String> {
        "[abc]"
    }

    fn network() -> impl Strategy<Value = IpNet> {
        (0_u8..4, prop::sample::select(vec![0_u8, 30, 31, 32])).prop_map(|(last, length)| {
            format!("10.0.0.{last}/{length}").parse::<IpNet>().expect("one").trunc()
        })
    }

    fn needs() -> impl Strategy<Value = Needs> {
        let flat = prop_oneof![
            text().prop_map(Need::Is),
            btree_set(text(), 0..3).prop_map(Need::OneOf),
            btree_set(text(), 0..3).prop_map(Need::AllOf),
            (0_u64..4).prop_map(Need::AtMost),
            btree_set(network(), 0..3).prop_map(Need::Within),
            btree_set(network(), 0..3).prop_map(Need::Outside),
        ];
        let named = |need: BoxedStrategy<Need>| {
            vec(("[xy]", need), 0..3).prop_map(|all| Needs(all.into_iter().collect())).boxed()
        };
        let inner = named(flat.clone().boxed());
        named(
            prop_oneof![
                4 => flat,
                1 => vec(inner.clone(), 0..3).prop_map(Need::AnyOf),
                1 => vec(inner, 0..3).prop_map(Need::Each),
            ]
            .boxed(),
        )
    }

    fn caller() -> impl Strategy<Value = Caller> {
        (text(), btree_set(text(), 0..4), 0_u64..4, 0_u8..4).prop_map(|(is, has, number, last)| Caller {
            is,
            has,
            number,
            address: format!("10.0.0.{last}/32").parse().expect("an address"),
        })
    }

    proptest! {
        #[test]
        fn nobody_comes_by_a_stricter_way_who_could_not_come_by_the_other(
            own in needs(), other in needs(), callers in vec(caller(), 16)
        ) {
            prop_assert!(own.imply(&own));
            if own.imply(&other) {
                for caller in callers {
                    prop_assert!(!admits(&own, &caller) || admits(&other, &caller), "{own}: {other}: {caller:?}");
                }
            }
        }

        #[test]
        fn what_is_kept_is_read_back(own in needs()) {
            let kept = serde_json::to_string(&own).expect("it is JSON");
            prop_assert_eq!(serde_json::from_str::<Needs>(&kept).expect("the same"), own);
        }
    }

    #[test]
    fn to_ask_for_less_or_for_something_else_is_no_stricter() {
        let one = |need: Need| Needs::default().with("x", need);
        let set = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<BTreeSet<_>>();
        let net =
            |texts: &[&str]| texts.iter().map(|text| text.parse().expect("one")).collect::<BTreeSet<IpNet>>();
        for (strict, loose) in [
            (one(Need::AtMost(1)), Needs::default()),
            (one(Need::OneOf(set(&["a"]))), one(Need::OneOf(set(&["a", "b"])))),
            (one(Need::AllOf(set(&["a", "b"]))), one(Need::AllOf(set(&["a"])))),
            (one(Need::AtMost(1)), one(Need::AtMost(2))),
            (one(Need::Within(net(&["10.1.0.0/16"]))), one(Need::Within(net(&["10.0.0.0/8"])))),
            (one(Need::Outside(net(&["10.0.0.0/8"]))), one(Need::Outside(net(&["10.1.0.0/16"])))),
            (one(Need::AnyOf(vec![one(Need::Is("a".into()))])), one(Need::AnyOf(vec![Needs::default()]))),
        ] {
            assert!(strict.imply(&loose) && !loose.imply(&strict), "{strict}: {loose}");
        }
        assert!(!one(Need::Is("a".into())).imply(&one(Need::one_of(["a"]))));
    }
}
