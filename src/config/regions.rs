//! The names of AWS's regions. AWS adds some every year, so that a name which is not here is asked about, not refused.

/// Every region of the two partitions that tapctl builds in: botocore's `partitions.json` of 2026.
const KNOWN: [&str; 38] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// How the regions of other partitions begin. Their host names, service principals and ARNs differ: botocore's
/// `partitions.json`.
const ELSEWHERE: [(&str, &str); 6] = [
    ("cn-", "aws-cn"),
    ("eusc-", "aws-eusc"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
];

/// Holds where nobody names a region.
pub const DEFAULT: &str = "us-east-1";

/// The partitions that tapctl builds in.
pub const PARTITIONS: [&str; 2] = ["aws", "aws-us-gov"];

/// What a region may be, in words.
pub const ALLOWED: &str = "a region of the partitions aws and aws-us-gov, such as \"us-east-1\"";

/// The partition a region belongs to, told by how its name begins.
pub fn partition(region: &str) -> &'static str {
    let elsewhere = ELSEWHERE.iter().find(|(prefix, _)| region.starts_with(prefix)).map(|(_, partition)| *partition);
    elsewhere.unwrap_or(if region.starts_with("us-gov-") { "aws-us-gov" } else { "aws" })
}

/// The region in which a partition's global services are, and which no account can switch off.
pub fn home(partition: &str) -> &'static str {
    if partition == "aws-us-gov" { "us-gov-west-1" } else { "us-east-1" }
}

/// Whether a name has the form of a region, and is of a partition that tapctl builds in.
pub fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let number = !last.is_empty() && last.chars().all(|c| c.is_ascii_digit());
    let form = (1..=2).contains(&middle.len()) && (2..=4).contains(&first.len()) && word(first);
    form && middle.iter().all(word) && number && PARTITIONS.contains(&partition(name))
}

/// Whether this version knows a region of that name.
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// The known region whose name is spelled most like this one.
pub fn nearest(name: &str) -> &'static str {
    KNOWN.iter().min_by_key(|known| strsim::damerau_levenshtein(name, known)).copied().unwrap_or(KNOWN[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_two_partitions_are_taken() {
        assert!(KNOWN.iter().all(|region| is_region(region)), "what is known has the form");
        for region in ["ap-southeast-9", "xx-north-1", "us-gov-central-1"] {
            assert!(is_region(region) && !is_known(region), "{region} may come");
        }
        for region in ["", "us-east", "US-EAST-1", "us-east-1a", "cn-north-1", "eusc-de-east-1", "us-iso-east-1"] {
            assert!(!is_region(region), "{region}");
        }
        for region in ["us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "cn-northwest-1"] {
            assert!(!PARTITIONS.contains(&partition(region)), "{region}");
        }
        assert_eq!((partition("us-gov-west-1"), home("aws-us-gov")), ("aws-us-gov", "us-gov-west-1"));
    }

    #[test]
    fn a_typo_is_near_what_was_meant() {
        for (typo, meant) in
            [("us-eats-1", "us-east-1"), ("eu-cental-1", "eu-central-1"), ("us-gov-est-1", "us-gov-east-1")]
        {
            assert_eq!(nearest(typo), meant);
        }
    }
}
