//! Reads the files of cases.

use super::frames::{self, number};
use super::verdict::Verdict;
use super::{Case, Step};

/// The cases of one file.
pub(super) fn file(name: &str, text: &str) -> Result<Vec<Case>, String> {
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .collect();
    let mut cases = Vec::new();
    for lines in lines.chunk_by(|_, (next, _)| *next != "case") {
        let with: Vec<&str> =
            lines.iter().filter(|(word, _)| *word == "with").map(|(_, text)| *text).collect();
        if with.is_empty() {
            cases.push(case(name, lines, None)?);
        }
        for with in with {
            cases.push(case(name, lines, Some(with))?);
        }
    }
    Ok(cases)
}

fn case(file: &str, lines: &[(&str, &str)], with: Option<&str>) -> Result<Case, String> {
    let mut case = Case {
        name: String::new(),
        rule: String::new(),
        from_scratch: false,
        steps: Vec::new(),
        gets: Verdict::default(),
        differs: None,
    };
    let (mut gets, mut rfc, mut because) = (false, None, None);
    for (word, text) in lines {
        let text = text.replace("\\@", with.unwrap_or("\\@"));
        let wrong = |what: String| format!("{file}: {}: {what}", case.name);
        match *word {
            "case" => {
                let name = [&format!("{file}: {text}"), with.unwrap_or_default()].join(" ");
                name.trim_end().clone_into(&mut case.name);
            }
            "rule" => case.rule = text,
            "from" if text == "scratch" => case.from_scratch = true,
            "send" => {
                let step = Step::Send(frames::bytes(&text).map_err(wrong)?);
                case.steps.push(step);
            }
            "await" => {
                let step = awaited(&text).map_err(wrong)?;
                case.steps.push(step);
            }
            "finish" => case.steps.push(Step::Finish),
            "gets" => {
                let added = case.gets.clone().and(&text).map_err(wrong)?;
                (case.gets, gets) = (added, true);
            }
            "rfc" => rfc = Some(text),
            "because" => because = Some(text),
            "with" => {}
            other => return Err(wrong(format!("`{other}` is no word of a case"))),
        }
    }
    let has_both = rfc.is_some() == because.is_some();
    case.differs = rfc.zip(because);
    let is_whole = !case.name.is_empty() && case.rule.starts_with("RFC ") && gets && !case.steps.is_empty();
    if !is_whole || !has_both {
        return Err(format!(
            "{file}: {}: a case has `case`, `rule RFC …`, steps and `gets`; `because` stands beside `rfc`",
            case.name
        ));
    }
    Ok(case)
}

/// `head 1`, `over 1`, `10 bytes on 1`, `ack`, `2 acks`.
fn awaited(text: &str) -> Result<Step, String> {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["ack"] => Ok(Step::Acked(1)),
        [count, "acks"] => Ok(Step::Acked(number(count)?)),
        ["head", stream] => Ok(Step::Head(number(stream)?)),
        ["over", stream] => Ok(Step::Over(number(stream)?)),
        [bytes, "bytes", "on", stream] => Ok(Step::Body(number(stream)?, number(bytes)?)),
        _ => Err(format!("nobody waits for `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_with_is_a_case_of_its_own() {
        let text = "case a\nrule RFC 9113, 4.1\nsend ping \\@\ngets pong \\@\nwith 12345678\nwith abcdefgh\n";
        let cases = file("x", text).unwrap();
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[1].name, "x: a abcdefgh");
        assert_eq!(cases[1].gets.pongs, [*b"abcdefgh"]);
    }

    #[test]
    fn what_is_no_case_is_refused() {
        for text in [
            "case a\nrule RFC 9113, 4.1\nsend ping 12345678\n",
            "case a\nrule RFC 9113, 4.1\ngets ignored\n",
            "case a\nrule 4.1\nsend ping 12345678\ngets ignored\n",
            "case a\nrule RFC 9113, 4.1\nsend ping 12345678\ngets ignored\nbecause it is\n",
            "case a\nrule RFC 9113, 4.1\nsend ping 12345678\ngets ignored\nrfc 1 acks\n",
            "case a\nrule RFC 9113, 4.1\nsent ping 12345678\ngets ignored\n",
            "case a\nrule RFC 9113, 4.1\nsend ping 12345678\nawait nothing\ngets ignored\n",
        ] {
            assert!(file("x", text).is_err(), "{text}");
        }
    }
}
