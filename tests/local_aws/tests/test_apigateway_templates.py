"""Mapping templates: a table of what API Gateway makes of them, each line with where that is known from.

RECORDED lines are what real API Gateway answered, in the snapshots of localstack/localstack. GUIDE is the developer
guide, "Variables for data transformations for API Gateway"; VELOCITY the user guide and the grammar of Apache Velocity;
JAVA the API specification of java.lang.String.
"""

import base64
import json

import pytest
from local_aws.services.apigateway.execution import templates
from local_aws.services.apigateway.execution.refusals import Refusal
from local_aws.world import world

PATHS = "test_apigateway_common.snapshot.json, test_input_path_template_formatting"
BODIES = "test_apigateway_common.snapshot.json, test_input_body_formatting"
OVERRIDES = "test_apigateway_integrations.snapshot.json, test_integration_mock_with_"
GUIDE, VELOCITY, JAVA = "developer guide", "Velocity user guide", "java.lang.String"


class Asked:
    """As much of an invocation as a template asks for."""

    def __init__(self, path=None, query=None, headers=None, context=None, variables=None):
        self.values = {"path": path or {}, "querystring": query or {}, "header": headers or {}}
        self.context, self.stage, self.notes = context or {}, {"variables": variables or {}}, []

    def parameters(self):
        return self.values

    def note(self, line):
        self.notes.append(line)


def render(template, body="", overrides=None, **asked):
    return templates.carry_out(template, body, Asked(**asked), overrides or templates.Overrides())


RESULT = '#set($result = $input.path("$.json"))$result'
STATE = '#if( $result == $null )"true"#else"false"#end, "isEmptyString": #if( $result == "" )"true"#else"false"#end}'
SHOWN = f'{{"body": $result, "nested": $result.nested, "isNull": {STATE}'
NOT_THERE = '#set($result = $input.path("$.nonExisting"))' + SHOWN
NESTED = '#set($result = $input.path("$.json.listValue"))' + SHOWN


def inside(value):
    return json.dumps({"json": value})


TABLE = {
    # Recorded: the maps, lists and nulls of $input.path.
    "a map": (RESULT, inside({"foo": "bar"}), "{foo=bar}", PATHS),
    "a list": (RESULT, inside([{"foo": "bar"}]), '[{"foo":"bar"}]', PATHS),
    "a map in a map": (RESULT + ".nested", inside({"nested": {"foo": "bar"}}), "{foo=bar}", PATHS),
    "a list in a map": (RESULT + ".nested", inside({"nested": [{"foo": "bar"}]}), '[{"foo":"bar"}]', PATHS),
    "a map in a list": (RESULT + "[0]", inside([{"foo": "bar"}]), "{foo=bar}", PATHS),
    "a list in a list": (RESULT + "[0]", inside([[{"foo": "bar"}]]), '[{"foo":"bar"}]', PATHS),
    "a map with a list": (RESULT, inside({"foo": [{"nested": "bar"}]}), '{foo=[{"nested":"bar"}]}', PATHS),
    "a map of three": (RESULT, inside({"a": "b", "c": "d", "e": "f"}), "{a=b, c=d, e=f}", PATHS),
    "toString of a map": (RESULT + ".toString()", inside({"foo": "bar"}), "{foo=bar}", PATHS),
    "toString with a list": (RESULT + ".toString()", inside({"l": [{"foo": "bar"}]}), '{l=[{"foo":"bar"}]}', PATHS),
    "no body": (NOT_THERE, "", '{"body": , "nested": , "isNull": "true", "isEmptyString": "true"}', PATHS),
    "an empty list": (
        NESTED,
        inside({"listValue": []}),
        '{"body": [], "nested": , "isNull": "false", "isEmptyString": "false"}',
        PATHS,
    ),
    "a null": (
        NESTED,
        inside({"listValue": None}),
        '{"body": , "nested": , "isNull": "true", "isEmptyString": "true"}',
        PATHS,
    ),
    # Recorded: the body.
    "an empty body": ("#set($result = $input.body)$result", "", "{}", BODIES),
    "a body of JSON": ("#set($result = $input.body)$result", '{"some": "value"}', '{"some": "value"}', BODIES),
    "a body of words": ("#set($result = $input.body)$result", "some raw data", "some raw data", BODIES),
    "a body within text": (
        "Action=SendMessage&MessageBody=$input.body",
        "x",
        "Action=SendMessage&MessageBody=x",
        BODIES,
    ),
    "a body has no members": ("#set($r = $input.body.testAccess)$r", '{"testAccess": 1}', "", BODIES),
    "url encoding of no body": ("$util.urlEncode($input.body)&$util.urlEncode($input.body.x)", "", "%7B%7D&", BODIES),
    "url encoding": ("$util.urlEncode($input.body)", '{"some": "value"}', "%7B%22some%22%3A+%22value%22%7D", BODIES),
    # The functions of the guide.
    "json of a text": ("$input.json('$.a')", '{"a": "x \\"y\\""}', '"x \\"y\\""', GUIDE),
    "json of a map": ("$input.json('$.a')", '{"a": {"b": [1, true, null]}}', '{"b":[1,true,null]}', GUIDE),
    "json of nothing": ("$input.json('$.b')", '{"a": 1}', '""', GUIDE),
    "json keeps what is not ASCII": ("$input.json('$.a')", '{"a": "Zürich 東京"}', '"Zürich 東京"', GUIDE),
    "escaped for JavaScript": ("$util.escapeJavaScript($input.json('$.m'))", '{"m": "foobar"}', '\\"foobar\\"', GUIDE),
    "single quotes are escaped": ("$util.escapeJavaScript($input.body)", "it's", "it\\'s", GUIDE),
    "and put back as the guide says": (
        r"""$util.escapeJavaScript($input.body).replaceAll("\\'","'")""",
        'it\'s a "b" \\ c',
        'it\'s a \\"b\\" \\\\ c',
        GUIDE,
    ),
    "parsed JSON": (
        "#set($o = $util.parseJson($input.path('$.t')))$o.a[1].b",
        '{"t": "{\\"a\\": [1, {\\"b\\": 2}]}"}',
        "2",
        GUIDE,
    ),
    "base64 and back": ("$util.base64Decode($util.base64Encode($input.body))", "Zürich", "Zürich", GUIDE),
    "url decoding": ("$util.urlDecode('x%3Da%2Bb+c')", "", "x=a+b c", GUIDE),
    # Velocity itself.
    "a quote within quotes is doubled": ("""#set($x = "a ""b"" c")$x""", "", 'a "b" c', VELOCITY),
    "a backslash is a backslash": (r"""#set($x = "a\\b\n")$x""", "", r"a\\b\n", VELOCITY),
    "no names within single quotes": ("#set($a = 1)#set($x = '$a')$x", "", "$a", VELOCITY),
    "names within double quotes": ('#set($a = 1)#set($x = "<$a>")$x', "", "<1>", VELOCITY),
    "a loop over a list": ("#foreach($i in [1, 2, 3])$i#if($foreach.hasNext),#end#end", "", "1,2,3", VELOCITY),
    "a loop over a range": ("#foreach($i in [1..3])$foreach.index:$i #end", "", "0:1 1:2 2:3 ", VELOCITY),
    "a loop over a map goes over its values": ("#foreach($i in {'a': 1, 'b': 2})$i #end", "", "1 2 ", VELOCITY),
    "a loop over keys": (
        "#set($m = {'a': 1, 'b': 2})#foreach($k in $m.keySet())$k=$m.get($k);#end",
        "",
        "a=1;b=2;",
        VELOCITY,
    ),
    "if, elseif and else": ("#if($x == 1)a#elseif($x == 2)b#{else}c#end", "", "c", VELOCITY),
    "truth": ("#if(true && !false)yes#end $true #set($t = 1 < 2)$t", "", "yes  true", VELOCITY),
    "division is of whole numbers": ("#set($x = 7 / 2)$x #set($y = -7 / 2)$y", "", "3 -3", VELOCITY),
    "numbers join texts": ("#set($x = 'a' + 1)$x", "", "a1", VELOCITY),
    "comments": ("## one\na#* two *#b", "", "ab", VELOCITY),
    "what is no directive": ("#1 #fff $5", "", "#1 #fff $5", VELOCITY),
    "a definition": ("#define($d)<$v>#end#set($v = 1)$d#set($v = 2)$d", "", "<1><2>", VELOCITY),
    "an index by a name": ("#set($i = 1)#set($l = ['a', 'b'])$l[$i] $l.get(0) $l.size()", "", "b a 2", VELOCITY),
    # Java's String.
    "groups": (r"$input.body.replaceAll('(\w+)@(\w+)', '$2 at $1')", "me@home", "home at me", JAVA),
    "matches is of the whole text": ("$input.body.matches('a.c') $input.body.matches('a')", "abc", "true false", JAVA),
    "parts of a text": (
        "$input.body.substring(1, 3) $input.body.indexOf('c') $input.body.length()",
        "abcd",
        "bc 2 4",
        JAVA,
    ),
    "cases": ("$input.body.toUpperCase() $input.body.toLowerCase().contains('b')", "aB", "AB true", JAVA),
    "split leaves out what is empty at the end": (
        "#foreach($p in $input.body.split(','))[$p]#end",
        "a,,b,,",
        "[a][][b]",
        JAVA,
    ),
}


@pytest.mark.parametrize(("template", "body", "wanted", "source"), TABLE.values(), ids=TABLE.keys())
def test_a_template_makes_what_api_gateway_makes_of_it(template, body, wanted, source):
    assert source and render(template, body) == wanted


def test_parameters_are_looked_for_in_path_query_and_headers():
    asked = {"path": {"id": "p"}, "query": {"id": "q", "x": "1"}, "headers": {"X-A": "h"}}
    template = "$input.params('id') $input.params('x') $input.params('X-A') [$input.params('none')]"
    assert render(template, **asked) == "p 1 h []"
    assert render("$input.params().querystring.get('id') $input.params().header['X-A']", **asked) == "q h"


def test_context_and_stage_variables():
    context = {"identity": {"sourceIp": "10.0.0.1"}, "httpMethod": "POST"}
    template = "$context.httpMethod $context.identity.sourceIp [$context.authorizer.claims.sub] $stageVariables.a"
    assert render(template, context=context, variables={"a": "b"}) == "POST 10.0.0.1 [] b"


def test_overrides_by_name_by_index_and_by_put():
    """Recorded: OVERRIDES + vtl_map_assignation."""
    overrides = templates.Overrides()
    template = (
        '#set($name = "foo")#set($context.requestOverride.querystring[$name] = "bar")'
        '$context.requestOverride.querystring.put("putfoo", "putBar")'
        '#set($context["requestOverride"].querystring["nestedfoo"] = "nestedFoo")'
        "#set($context.responseOverride.status = 444)"
    )
    render(template, overrides=overrides)
    assert overrides.request["querystring"] == {"foo": "bar", "putfoo": "putBar", "nestedfoo": "nestedFoo"}
    assert overrides.response["status"] == 444


def test_an_override_may_be_made_once():
    """Developer guide, "Override your API's request and response parameters and status codes"."""
    twice = "#set($context.responseOverride.status = 400)#set($context.responseOverride.status = 429)"
    with pytest.raises(Refusal) as refused:
        render(twice)
    assert (refused.value.kind, refused.value.message) == ("API_CONFIGURATION_ERROR", "Internal server error")
    overrides = templates.Overrides()
    render("#set($context.responseOverride.status = 400)", overrides=overrides)
    again = overrides.next_run()
    render("#set($context.responseOverride.status = 429)", overrides=again)
    assert again.response["status"] == 429


@pytest.mark.parametrize("template", ["#if(", "#set($x = )", "$input.path('$[')", "#foreach($x in"])
def test_a_template_that_cannot_be_carried_out_is_an_internal_error(template):
    with pytest.raises(Refusal) as refused:
        render(template, "{}")
    assert refused.value.kind == "API_CONFIGURATION_ERROR"


@pytest.mark.parametrize("body", ["partitionKey=x", '{"partitionKey": "x"', "{'partitionKey': 'x'}"])
def test_a_path_into_what_is_no_json_is_the_callers_fault(body):
    with pytest.raises(Refusal) as refused:
        render("$input.json('$.partitionKey')", body)
    assert refused.value.kind == "BAD_REQUEST_BODY"
    assert refused.value.message.startswith("Could not parse request body into json: ")


def test_what_follows_a_document_is_taken_or_refused_as_a_setting_says():
    body = '{"partitionKey": "x"} {"partitionKey": "y"}'
    assert render("$input.json('$.partitionKey')", body) == '"x"'
    world.settings.trailing_json = False
    try:
        with pytest.raises(Refusal):
            render("$input.json('$.partitionKey')", body)
    finally:
        world.settings.trailing_json = True


def test_a_body_survives_base64_byte_for_byte():
    body = ' \n{ "a" : "Zürich-東京-😀", "b": "it\'s \\"c\\"" }\n '
    assert base64.b64decode(render("$util.base64Encode($input.body)", body)).decode() == body
