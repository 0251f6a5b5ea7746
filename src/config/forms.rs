//! Texts with parts, each of which can be wrong by itself: an image's reference, a host's name, a mail address.

/// The longest reference that a task definition takes (ECS API reference, `ContainerDefinition.image`).
const IMAGE: usize = 255;
/// Characters of a host's name and of each of its parts (RFC 1035, 2.3.4).
const HOST: usize = 253;
const LABEL: usize = 63;
/// Characters before the `@` of a mail address (RFC 5321, 4.5.3.1.1).
const MAILBOX: usize = 64;

/// What is wrong with this text, where the setting's form has parts.
pub(super) fn reason(key: &str, text: &str) -> Option<String> {
    match key {
        "service.image" => image(text).err(),
        "ingress.host" => host(text).err(),
        "monitoring.alarm_emails" => mail(text).err(),
        _ => None,
    }
}

/// Whether an image is named by tag, or by digest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Image<'a> {
    /// The tag.
    pub(super) tag: Option<&'a str>,
    /// The digest, without its algorithm.
    pub(super) digest: Option<&'a str>,
}

/// `[host[:port]/]path[:tag][@sha256:digest]`, as the distribution project's `reference` package defines it.
pub(super) fn image(text: &str) -> Result<Image<'_>, String> {
    if text.len() > IMAGE {
        return Err(format!("it has {} characters, and a task takes at most {IMAGE}", text.len()));
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(format!("{odd:?} cannot be part of an image's name"));
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(sha256(digest)?)),
        None => (text, None),
    };
    let (host, rest) = match rest.split_once('/') {
        Some((first, rest)) if is_registry(first) => (Some(first), rest),
        _ => (None, rest),
    };
    host.map_or(Ok(()), registry)?;
    if let Some(host) = host.filter(|host| host.to_lowercase().contains(".dkr") && private_registry(host).is_none()) {
        return Err(format!(
            "{host} is no registry of ECR: those are <account>.dkr.ecr.<region>.amazonaws.com, with ecr-fips in place of \
             ecr, and <account>.dkr-ecr.<region>.on.aws"
        ));
    }
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path, Some(image_tag(tag)?)),
        None => (rest, None),
    };
    path.split('/').try_for_each(part)?;
    Ok(Image { tag, digest })
}

/// Account and region of a private registry of ECR, which has hosts for FIPS and for both kinds of addresses besides:
/// Amazon ECR user guide, "Making requests to private registries over IPv6".
pub fn private_registry(host: &str) -> Option<(&str, &str)> {
    let (account, rest) = host.split_once('.')?;
    let region = [
        ("dkr.ecr.", ".amazonaws.com"),
        ("dkr.ecr.", ".amazonaws.com.cn"),
        ("dkr.ecr-fips.", ".amazonaws.com"),
        ("dkr-ecr.", ".on.aws"),
        ("dkr-ecr-fips.", ".on.aws"),
    ]
    .into_iter()
    .find_map(|(before, after)| rest.strip_prefix(before)?.strip_suffix(after))?;
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !region.is_empty() && !region.contains('.')).then_some((account, region))
}

/// The first part is a host where it could be nothing else.
fn is_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn registry(text: &str) -> Result<(), String> {
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    if let Some(port) = port
        && !port.parse::<u16>().is_ok_and(|port| port > 0)
    {
        return Err(format!("{port:?} is not a port of the registry {name}"));
    }
    match name.split('.').all(is_label) {
        true => Ok(()),
        false => Err(format!("{name:?} is not a registry's host name")),
    }
}

fn sha256(text: &str) -> Result<&str, String> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    match text.strip_prefix("sha256:") {
        _ if text.contains('@') => Err("it has two @".to_owned()),
        Some(digits) if digits.len() == 64 && digits.chars().all(hex) => Ok(digits),
        _ => Err(format!("its digest is {text:?}, and a digest is sha256: and 64 digits of 0-9 and a-f")),
    }
}

fn image_tag(text: &str) -> Result<&str, String> {
    let form = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if text.contains(':') {
        return Err("it has two tags".to_owned());
    }
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    match begins && text.len() <= 128 && text.chars().all(form) {
        true => Ok(text),
        false => {
            Err(format!("its tag is {text:?}, and a tag is 1 to 128 letters, digits, _ . and -, neither . nor - first"))
        }
    }
}

/// A part of the path: lower-case letters and digits, with one dot, one or two underscores or any hyphens in between.
fn part(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a part of its name is empty".to_owned());
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(format!("{text:?} has upper-case letters"));
    }
    let inside = |c: char| "._-".contains(c);
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_lowercase() && !c.is_ascii_digit() && !inside(*c)) {
        return Err(format!("{odd:?} cannot be part of an image's name"));
    }
    let words: Vec<&str> = text.split(|c: char| c.is_ascii_alphanumeric()).filter(|gap| !gap.is_empty()).collect();
    let gap = |gap: &&str| matches!(*gap, "." | "_" | "__") || gap.chars().all(|c| c == '-');
    match text.starts_with(inside) || text.ends_with(inside) || !words.iter().all(gap) {
        true => Err(format!("{text:?} has . _ or - first, last, or side by side")),
        false => Ok(()),
    }
}

/// Two or more labels. Case does not matter in a host's name.
pub(super) fn host(text: &str) -> Result<(), String> {
    if text.len() > HOST {
        return Err(format!("it has {} characters, and a host's name at most {HOST}", text.len()));
    }
    let labels: Vec<&str> = text.split('.').collect();
    if let Some(wrong) = labels.iter().find(|label| !is_label(label)) {
        return Err(match *wrong {
            "" => "a part of the host's name is empty".to_owned(),
            wrong => format!("{wrong:?} is no part of a host's name: letters, digits, hyphens inside, at most {LABEL}"),
        });
    }
    match labels.as_slice() {
        [_] => Err(format!("the host {text:?} has no domain")),
        [.., last] if last.chars().all(|c| c.is_ascii_digit()) => {
            Err(format!("{text:?} is no host's name: it ends in a number"))
        }
        _ => Ok(()),
    }
}

fn is_label(text: &str) -> bool {
    (1..=LABEL).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// One mailbox at a host, unquoted (RFC 5322, 3.2.3), but for the two marks that mean something elsewhere: ` and |.
pub(super) fn mail(text: &str) -> Result<(), String> {
    let Some((name, at)) = text.rsplit_once('@') else { return Err("it has no @".to_owned()) };
    let form = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_{}~.-".contains(c);
    if let Some(odd) = name.chars().find(|c| !form(*c)) {
        return Err(format!("{odd:?} cannot stand before the @"));
    }
    if !(1..=MAILBOX).contains(&name.len()) {
        return Err(format!("it has {} characters before the @, and a mailbox 1 to {MAILBOX}", name.len()));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err("before the @ a dot is first, last or double".to_owned());
    }
    host(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_references() {
        let digest = "0123456789abcdef".repeat(4);
        for (text, tag, by_digest) in [
            ("busybox".to_owned(), None, false),
            ("library/busybox:1.37".to_owned(), Some("1.37"), false),
            ("public.ecr.aws/docker/library/busybox:1.37".to_owned(), Some("1.37"), false),
            ("localhost:5000/a__b/c--d.e:Latest_1".to_owned(), Some("Latest_1"), false),
            ("Registry.Example.edu/student-api".to_owned(), None, false),
            (format!("123456789012.dkr.ecr.us-east-1.amazonaws.com/api@sha256:{digest}"), None, true),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/api:1".to_owned(), Some("1"), false),
            ("123456789012.dkr-ecr.us-east-1.on.aws/api:1".to_owned(), Some("1"), false),
            (format!("api:1@sha256:{digest}"), Some("1"), true),
        ] {
            let found = image(&text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!((found.tag, found.digest.is_some()), (tag, by_digest), "{text}");
        }
    }

    #[test]
    fn images_that_are_none_are_told_why() {
        for (text, why) in [
            ("a:b:c", "it has two tags"),
            ("a@@b", "it has two @"),
            ("a@sha256:zz", "its digest is \"sha256:zz\", and a digest is sha256: and 64 digits of 0-9 and a-f"),
            ("MyOrg/App:1", "\"MyOrg\" has upper-case letters"),
            ("my image", "' ' cannot be part of an image's name"),
            ("a//b", "a part of its name is empty"),
            ("", "a part of its name is empty"),
            ("a/", "a part of its name is empty"),
            ("a..b/c", "\"a..b\" is not a registry's host name"),
            ("a/b..c", "\"b..c\" has . _ or - first, last, or side by side"),
            ("a/-b", "\"-b\" has . _ or - first, last, or side by side"),
            ("a:", "its tag is \"\", and a tag is 1 to 128 letters, digits, _ . and -, neither . nor - first"),
            ("host.edu:0/a", "\"0\" is not a port of the registry host.edu"),
            ("https://host.edu/a", "\"\" is not a port of the registry https"),
        ] {
            assert_eq!(image(text), Err(why.to_owned()), "{text}");
        }
        assert!(image(&"a".repeat(256)).is_err_and(|why| why.starts_with("it has 256 characters")));
    }

    #[test]
    fn mail_addresses() {
        for text in ["oncall@University.edu", "alarm@3m.com", "a.b+c@x-1.example.org", "o'brien@xn--mnchen-3ya.de"] {
            assert_eq!(mail(text), Ok(()), "{text}");
        }
        for (text, why) in [
            ("oncall", "it has no @"),
            ("@university.edu", "it has 0 characters before the @, and a mailbox 1 to 64"),
            ("on call@university.edu", "' ' cannot stand before the @"),
            ("a@b@university.edu", "'@' cannot stand before the @"),
            ("a..b@university.edu", "before the @ a dot is first, last or double"),
            ("oncall@university", "the host \"university\" has no domain"),
            ("oncall@-x.edu", "\"-x\" is no part of a host's name: letters, digits, hyphens inside, at most 63"),
            ("oncall@university..edu", "a part of the host's name is empty"),
            ("oncall@10.0.0.1", "\"10.0.0.1\" is no host's name: it ends in a number"),
        ] {
            assert_eq!(mail(text), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn host_names() {
        for text in ["api.xn--mnchen-3ya.de", "3m.com", "API.University.edu", "a-b.c"] {
            assert_eq!(host(text), Ok(()), "{text}");
        }
        for text in ["localhost", "", ".edu", "a.", "a_b.edu", "ä.edu", "1.2"] {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
