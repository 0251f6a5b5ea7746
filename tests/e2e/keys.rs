//! Keys are looked for in an account that is full of others'.

use crate::harness::{Call, Desk, LocalAws};

/// 200 keys: most with tags, many with aliases only, some with neither.
const OTHERS: &str = "kms = client('kms')
for n in range(200):
    tags = [{'TagKey': 'team', 'TagValue': f't{n}'}] if n < 120 else []
    key = kms.create_key(Tags=tags)['KeyMetadata']['KeyId']
    if n < 195:
        kms.create_alias(AliasName=f'alias/others-{n}', TargetKeyId=key)";

fn asked(log: &[Call], operation: &str) -> usize {
    log.iter().filter(|call| call.name() == format!("kms:{operation}")).count()
}

#[test]
fn others_keys_cost_no_call_each() {
    let aws = LocalAws::lease();
    aws.python(OTHERS);
    let desk = Desk::at(&aws);
    let mark = aws.mark();
    desk.tapctl(&["plan"]).expect(2);
    let log = aws.log_since(mark);
    // Only the five that nothing tells anything of are asked for their tags.
    assert_eq!((asked(&log, "ListResourceTags"), asked(&log, "DescribeKey")), (5, 0));
    assert!(log.iter().filter(|call| call.service == "kms").count() <= 12, "{log:?}");

    // A key whose making was not answered is found among them, tags and alias or not.
    aws.fault(serde_json::json!({ "match": { "operation": "CreateKey" }, "when": "after", "action": "reset" }));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    std::fs::remove_file(desk.state_path("dev")).expect("there is a state");
    desk.tapctl(&["plan"]).expect(2);
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    let kept = aws.sweep().leftovers();
    assert_eq!(kept.of("kms.key").len(), 200);
    aws.assert_lawful();
}
