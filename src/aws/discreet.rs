//! What must not be told: AWS and proxies quote requests, and with them what signs them.

/// What a secret stands behind, in small letters.
const MARKS: [&str; 9] = [
    "security-token",
    "security_token",
    "signature",
    "sessiontoken",
    "session_token",
    "secretaccesskey",
    "secret_access_key",
    "secretstring",
    "password",
];

/// In place of a secret.
const CUT: &str = "[cut]";

/// Codes whose messages quote the whole request that AWS has reckoned with: IAM User Guide, "Troubleshoot signed requests".
const QUOTING: [&str; 3] = ["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"];

/// A message of AWS's, without what it quotes.
pub(super) fn message(code: &str, message: &str) -> String {
    let quotes = QUOTING.contains(&code);
    text(if quotes { first_sentence(message) } else { message })
}

fn first_sentence(message: &str) -> &str {
    let end = message.find(['\n', '\r']).unwrap_or(message.len());
    let line = &message[..end];
    line.find(". ").map_or(line, |end| &line[..=end])
}

/// A text with every secret cut out of it that shows itself as one: `Signature=…`, `x-amz-security-token:…`.
pub(super) fn text(text: &str) -> String {
    // Letters other than ASCII keep their length, so that places in one are places in the other.
    let small = text.to_ascii_lowercase();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while let Some((start, end)) = next_secret(&small, at) {
        out.push_str(&text[at..start]);
        out.push_str(CUT);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

/// Where the next secret begins and ends.
fn next_secret(small: &str, from: usize) -> Option<(usize, usize)> {
    let ends = MARKS.iter().flat_map(|mark| small[from..].match_indices(mark).map(|(at, mark)| from + at + mark.len()));
    let found = ends.filter_map(|end| value(small, end));
    found.min()
}

/// The value behind a name that ends here, if there is one.
fn value(small: &str, name_end: usize) -> Option<(usize, usize)> {
    let rest = &small[name_end..];
    let quoted = rest.trim_start_matches(['"', '\'', '\\']);
    let behind = quoted.strip_prefix([':', '=', '>'])?;
    let start = behind.trim_start_matches([' ', '"', '\'', '\\']);
    let length = start.find(|c: char| c.is_whitespace() || "&,\"'<>;\\)".contains(c)).unwrap_or(start.len());
    let at = small.len() - start.len();
    (length > 0).then_some((at, at + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_cut_wherever_they_are_quoted() {
        for (told, kept) in [
            ("GET\nx-amz-security-token:FwoGZXIv==\nhost:x", "GET\nx-amz-security-token:[cut]\nhost:x"),
            (
                "?X-Amz-Security-Token=Fwo%2F&X-Amz-Signature=0a1b&x=y",
                "?X-Amz-Security-Token=[cut]&X-Amz-Signature=[cut]&x=y",
            ),
            ("Credential=AKID/2026, Signature=abc", "Credential=AKID/2026, Signature=[cut]"),
            ("{\"SessionToken\": \"tok\", \"a\": 1}", "{\"SessionToken\": \"[cut]\", \"a\": 1}"),
            ("<SecretAccessKey>hush</SecretAccessKey>", "<SecretAccessKey>[cut]</SecretAccessKey>"),
            ("é Password='hush'", "é Password='[cut]'"),
        ] {
            assert_eq!(text(told), kept);
        }
        for told in [
            "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z",
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII",
            "Signature=",
            "",
        ] {
            assert_eq!(text(told), told);
        }
    }

    #[test]
    fn of_a_refused_signature_only_the_first_sentence_is_told() {
        let told = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
                    Key.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:FwoG\n'";
        for code in QUOTING {
            let kept = message(code, told);
            assert_eq!(kept, "The request signature we calculated does not match the signature you provided.");
        }
        assert_eq!(message("Other", "One. Two."), "One. Two.");
    }
}
