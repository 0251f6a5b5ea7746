"""Records as callers send them, and as they should not."""

import json

GOOD = {
    "plain": {"partitionKey": "sensor-7", "value": 21.5},
    "quotes": {"partitionKey": 'a "quoted" \\ key', "note": "it's \"here\""},
    "one quote": {"partitionKey": "o'brien"},
    "what looks like the end": {"partitionKey": 'x", "StreamName": "other', "value": 1},
    "what looks like a template": {"partitionKey": "$util.base64Encode('x')#set($key = 1)", "value": "$input.body"},
    "control characters": {"partitionKey": "a\tb\nc\u0001", "text": "\u0000\r\n"},
    "unicode": {"partitionKey": "Zürich-東京-😀", "text": "naïve – 学生"},
    "nested": {"partitionKey": "deep", "a": {"b": [{"partitionKey": "inner"}, None, True, 1e9]}},
    "a key of 256": {"partitionKey": "k" * 256},
    # As long as the rules of AWS that guard the API let through by themselves.
    "a long record": {"partitionKey": "long", "text": "x" * 8_000},
}

# Texts, since no object can be written with the key twice.
GOOD_TEXTS = {name: json.dumps(record, ensure_ascii=False) for name, record in GOOD.items()} | {
    "escaped unicode": json.dumps(GOOD["unicode"]),
    "blanks around": ' \n{ "partitionKey" : "blank" }\n ',
}

# Kinesis refuses what the template makes of these.
BAD = {
    "no key": '{"value": 1}',
    "an empty key": '{"partitionKey": ""}',
    "a number": '{"partitionKey": 7}',
    "null": '{"partitionKey": null}',
    "true": '{"partitionKey": true}',
    "an object": '{"partitionKey": {"a": "b", "StreamName": "other"}}',
    "a list": '{"partitionKey": ["a"]}',
    "a key inside": '{"data": {"partitionKey": "inner"}}',
    "a key of 257": json.dumps({"partitionKey": "k" * 257}),
    "another spelling": '{"PartitionKey": "x"}',
    "a list of records": '[{"partitionKey": "x"}]',
    "a text": '"partitionKey"',
    "a bare number": "7",
    "nothing": "",
}

# API Gateway refuses these before any template is done.
NOT_JSON = {
    "words": "partitionKey=x",
    "cut off": '{"partitionKey": "x"',
    "single quotes": "{'partitionKey': 'x'}",
}

# A record, and something after it.
TRAILING = {
    "two records": '{"partitionKey": "x"} {"partitionKey": "y"}',
    "an injection": '{"partitionKey": "x"}", "PartitionKey": "y", "StreamName": "other',
}
