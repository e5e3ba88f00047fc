//! "Did you mean": the known word nearest to what was written.

/// Below this likeness a suggestion confuses more than it helps.
const ALIKE: f64 = 0.5;

/// The most alike of `known`, if any is alike at all. Case does not matter.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let scored = known.into_iter().map(|word| (likeness(&written, &word.to_lowercase()), word));
    let best = scored.max_by(|left, right| left.0.total_cmp(&right.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// ` did you mean …` or the whole choice, to end a sentence with.
pub(super) fn suggestion(written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => "nothing may stand here".to_owned(),
        None => format!("known here: {}", quoted(known)),
    }
}

pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Edits tell a slip of the finger; a part of the word tells a key that was cut short.
fn likeness(written: &str, word: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(written, word);
    let part = written.len() >= 3 && (word.contains(written) || written.contains(word));
    if part { edits.max(ALIKE + edits / 2.0) } else { edits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_shortenings_find_their_word() {
        for (written, known, expected) in [
            ("renewal_window", &["purpose", "renewal_window_days", "plans"][..], Some("renewal_window_days")),
            ("uri", &["url", "min_free_disk"], Some("url")),
            ("nmae", &["name", "time_zone"], Some("name")),
            ("New_York", &["America/New_York", "America/Nome"], Some("America/New_York")),
            ("colour", &["url", "listen"], None),
            ("", &["url"], None),
        ] {
            assert_eq!(nearest(written, known.iter().copied()), expected, "{written}");
        }
    }
}
