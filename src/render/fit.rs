//! Making texts fit a width: cut in the middle, cut around what differs, or broken into lines.

/// How much of what is the same is left on each side of what differs.
const AROUND: usize = 12;
const CUT: char = '…';

/// A text of at most so many characters, cut in its middle: both its ends tell it from others.
pub(super) fn middle(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let left = most.saturating_sub(1).div_ceil(2);
    let right = most.saturating_sub(1 + left);
    text.chars().take(left).chain([CUT]).chain(text.chars().skip(length - right)).collect()
}

/// Two texts, each of at most so many characters, cut around the first place where they differ.
pub(super) fn difference(one: &str, other: &str, most: usize) -> (String, String) {
    if one.chars().count() <= most && other.chars().count() <= most {
        return (one.to_owned(), other.to_owned());
    }
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let before = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let after = a[before..].iter().rev().zip(b[before..].iter().rev()).take_while(|(a, b)| a == b).count();
    (around(&a, before, after, most), around(&b, before, after, most))
}

/// A text whose first `before` and last `after` characters are the same as those of the other.
fn around(text: &[char], before: usize, after: usize, most: usize) -> String {
    if text.len() <= most {
        return text.iter().collect();
    }
    let mut start = before.saturating_sub(AROUND);
    let end = (text.len() - after + AROUND).min(text.len());
    if start <= 1 {
        start = 0;
    }
    let room = most.saturating_sub(usize::from(start > 0) + usize::from(end < text.len()));
    let shown: String = text[start..end].iter().collect();
    // Where they first differ stays, however long the rest is.
    let shown = if end - start <= room { shown } else { head(&shown, room) };
    let lead = if start > 0 { CUT.to_string() } else { String::new() };
    let tail = if end < text.len() && !shown.ends_with(CUT) { CUT.to_string() } else { String::new() };
    format!("{lead}{shown}{tail}")
}

/// The first characters of a text, and where it was cut its end: enough of it to tell.
fn head(text: &str, most: usize) -> String {
    let length = text.chars().count();
    let right = (most / 4).min(AROUND);
    let left = most.saturating_sub(right + 1);
    text.chars().take(left).chain([CUT]).chain(text.chars().skip(length - right)).collect()
}

/// A text in lines of at most so many characters, broken at spaces; a word that is longer stays whole. The first stands
/// after so many characters of something else, the others after this indent.
pub(super) fn lines(text: &str, most: usize, before: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut length = before;
    for (at, word) in text.split(' ').enumerate() {
        let word_length = word.chars().count();
        if at > 0 && length + 1 + word_length > most {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            length = indent;
        } else if at > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += word_length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_in_its_middle() {
        assert_eq!(middle("abcdefghij", 10), "abcdefghij");
        assert_eq!(middle("abcdefghijk", 10), "abcde…hijk");
        assert_eq!(middle("äöüäöüäöü", 4), "äö…ü");
        assert_eq!(middle("abc", 0), "…");
    }

    #[test]
    fn a_difference_at_the_hundredth_character_is_seen() {
        let long = |c: char| format!("{}{c}{}", "a".repeat(100), "z".repeat(100));
        let (one, other) = difference(&long('1'), &long('2'), 40);
        assert_eq!((one.as_str(), other.as_str()), ("…aaaaaaaaaaaa1zzzzzzzzzzzz…", "…aaaaaaaaaaaa2zzzzzzzzzzzz…"));
    }

    #[test]
    fn a_difference_keeps_its_beginning_and_its_end() {
        let (one, other) = difference(&"x".repeat(90), "yyy", 20);
        assert_eq!((one.as_str(), other.as_str()), ("xxxxxxxxxxxxxx…xxxxx", "yyy"));
        let (one, other) = difference(&format!("{}b", "a".repeat(50)), &"a".repeat(50), 30);
        assert_eq!((one.as_str(), other.as_str()), ("…aaaaaaaaaaaab", "…aaaaaaaaaaaa"));
        let same = difference("short", "other", 20);
        assert_eq!(same, ("short".to_owned(), "other".to_owned()));
    }

    #[test]
    fn no_side_of_a_difference_is_longer_than_allowed_or_hides_it() {
        for (at, length, most) in [(0, 200, 30), (3, 200, 30), (150, 200, 30), (199, 200, 30), (60, 70, 24)] {
            let text = |c: char| (0..length).map(|n| if n == at { c } else { 'o' }).collect::<String>();
            let (one, other) = difference(&text('1'), &text('2'), most);
            assert!(one.chars().count() <= most && other.chars().count() <= most, "{one} {other}");
            assert!(one.contains('1') && other.contains('2'), "{at}: {one} {other}");
        }
    }

    #[test]
    fn lines_break_at_spaces_and_no_word_is_cut() {
        assert_eq!(lines("aa bb cc dd", 5, 0, 2), "aa bb\n  cc\n  dd");
        assert_eq!(lines("aa bb cc", 5, 1, 1), "aa\n bb\n cc");
        assert_eq!(lines("a 10.0.0.0/16-and-more b", 6, 0, 2), "a\n  10.0.0.0/16-and-more\n  b");
    }
}
