//! Trouble between here and AWS: hosts that do not answer, proxies, companies that open TLS, credentials that are not
//! there. Each is told as what it is, with the way out.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Desk, LocalAws, Run, script, wait_for};

const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// A desk with these profiles, and no keys but theirs.
fn with_profiles(aws: &LocalAws, config: &str) -> Desk {
    let desk = Desk::at(aws);
    std::fs::write(desk.path("aws-config"), config).expect("the profiles are written");
    let file = desk.path("aws-config").display().to_string();
    desk.variable("AWS_CONFIG_FILE", &file).variable("AWS_EC2_METADATA_DISABLED", "true")
}

fn keyless(desk: &Desk, arguments: &[&str]) -> Run {
    desk.tapctl_without(&KEYS, arguments)
}

/// The error and its hint, without remarks.
fn error(run: &Run) -> String {
    run.stderr[run.stderr.find("error: ").unwrap_or_default()..].trim_end().to_owned()
}

#[test]
fn metadata_and_this_machine_are_never_asked_through_a_proxy() {
    let aws = LocalAws::lease();
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a free port");
    proxy.set_nonblocking(true).expect("a socket that can be asked");
    let url = format!("http://{}", proxy.local_addr().expect("an address"));
    let behind = || Desk::at(&aws).variable("HTTP_PROXY", &url).variable("HTTPS_PROXY", &url);
    behind().tapctl(&["plan", "--target", "vpc"]).expect(2);
    keyless(&behind(), &["plan"]).expect(4);
    let task = behind().variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x");
    let run = keyless(&task, &["plan"]);
    assert!(matches!(run.code(), Some(1 | 4)), "{run}");
    assert!(proxy.accept().is_err(), "the proxy was asked");
}

/// Opens TLS as a company does: with a certificate of its own root, on a port that it prints.
const FRONT: &str = r#"
import http.client, http.server, ssl, sys
port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
class Front(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        aws = http.client.HTTPConnection("127.0.0.1", port)
        aws.request(self.command, self.path, body, dict(self.headers))
        answer = aws.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    do_GET = do_PUT = do_HEAD = do_POST
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
import threading
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
"#;

/// Ends with the test.
struct Front(std::process::Child);

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A root and what it signs for `localhost`: the root's certificate, the server's, the server's key.
fn signed(desk: &Desk) -> [PathBuf; 3] {
    let root_key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).expect("names");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).expect("a root");
    let key = rcgen::KeyPair::generate().expect("a key");
    let issuer = rcgen::Issuer::new(params, root_key);
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let texts = [("root.pem", root.pem()), ("server.pem", leaf.pem()), ("server.key", key.serialize_pem())];
    texts.map(|(name, text)| {
        std::fs::write(desk.path(name), text).expect("it is written");
        desk.path(name)
    })
}

#[test]
fn the_root_of_a_company_is_trusted_where_it_is_named() {
    let aws = LocalAws::lease();
    let shelf = Desk::at(&aws);
    let [root, certificate, key] = signed(&shelf);
    let mut command = script();
    command.args(["python", "-c", FRONT, aws.url().rsplit(':').next().unwrap_or_default()]).arg(certificate).arg(key);
    let child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn();
    let mut front = Front(child.expect("python starts"));
    let mut port = String::new();
    BufReader::new(front.0.stdout.take().expect("a pipe")).read_line(&mut port).expect("it tells its port");
    let url = format!("https://localhost:{}", port.trim());
    let at_front = |desk: Desk| desk.variable("AWS_ENDPOINT_URL", &url);

    let run = at_front(Desk::at(&aws)).tapctl(&["plan"]).expect(1);
    assert!(error(&run).contains("UntrustedCertificate: no connection to localhost: "), "{run}");
    assert!(error(&run).contains("\nhint: name the root that signs here in AWS_CA_BUNDLE, or as ca_bundle"), "{run}");
    assert!(run.took < Duration::from_secs(10), "trying again makes no certificate good: {run}");

    let root = root.display().to_string();
    let named = at_front(Desk::at(&aws)).variable("AWS_CA_BUNDLE", &root);
    named.tapctl(&["plan", "--target", "vpc"]).expect(2);
    let in_profile = at_front(with_profiles(&aws, &format!("[default]\nca_bundle = {root}\n")));
    in_profile.tapctl(&["plan", "--target", "vpc"]).expect(2);

    let run = named.variable("AWS_CA_BUNDLE", "/dev/null").tapctl(&["plan"]).expect(1);
    let text =
        "error: InvalidCaBundle: AWS_CA_BUNDLE is \"/dev/null\", which holds no certificate; allowed: a file in PEM";
    assert_eq!(error(&run), text);
}

#[test]
fn an_answer_that_is_not_of_aws_is_told_with_what_it_says() {
    let aws = LocalAws::lease();
    for (status, body, said) in [
        (
            "403 Forbidden",
            "<html>Blocked by policy</html>",
            "403 without an error code: <html>Blocked by policy</html>",
        ),
        ("400 Bad Request", "{\"error\":\"x\"}", "400 without an error code: {\"error\":\"x\"}"),
    ] {
        let desk = Desk::at(&aws).variable("AWS_ENDPOINT_URL_EC2", &always(status, body));
        let run = desk.tapctl(&["plan", "--target", "vpc"]).expect(1);
        assert!(run.stderr.contains(&format!("UnreadableAnswer: an answer with HTTP status {said}")), "{run}");
        assert!(run.stderr.contains("\nhint: what answers is not AWS: check the proxy, AWS_ENDPOINT_URL"), "{run}");
        assert!(run.place.is_some_and(|place| place.contains(", EC2 at http://127.0.0.1:")), "it is said who is asked");
    }
}

/// Answers every request with this.
fn always(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let head =
                BufReader::new(&stream).lines().take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
            head.for_each(drop);
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn endpoints_of_a_profile_are_checked_too() {
    let aws = LocalAws::lease();
    for (config, said) in [
        (
            "[default]\nendpoint_url = http://\n",
            "endpoint_url of the profile default is \"http://\"; allowed: a URL with",
        ),
        (
            "[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = localhost:5000\n",
            "endpoint_url of S3 for the profile default is \"localhost:5000\"; allowed: a URL with",
        ),
    ] {
        // An endpoint of the environment goes before that of a single service in a profile.
        let run = with_profiles(&aws, config).tapctl_without(&["AWS_ENDPOINT_URL"], &["plan"]).expect(1);
        assert!(run.stderr.starts_with(&format!("error: InvalidEndpoint: {said}")), "{run}");
    }
    for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        let run = Desk::at(&aws).variable(name, "true").tapctl(&["plan"]).expect(1);
        let url = aws.url();
        assert_eq!(
            error(&run),
            format!(
                "error: InvalidEndpoint: {name} is true, and calls go elsewhere: at {url}; allowed: only one of both"
            )
        );
    }
    assert_eq!(aws.log().len(), 0);
}

#[test]
fn who_asks_without_tls_is_told() {
    let aws = LocalAws::lease();
    let far = Desk::at(&aws).variable("AWS_ENDPOINT_URL", "http://aws.invalid").variable("HTTP_PROXY", &aws.url());
    let run = far.tapctl(&["plan", "--target", "vpc"]).expect(2);
    assert!(run.place.as_deref().is_some_and(|place| place.ends_with(", at http://aws.invalid")), "{run}");
    assert!(
        run.stderr.contains("note: aws.invalid is asked without TLS: signed requests and passwords can be read"),
        "{run}"
    );
}

#[test]
fn a_region_that_is_not_enabled_is_no_matter_of_credentials() {
    let aws = LocalAws::lease();
    aws.set(json!({ "disabled_regions": ["af-south-1"] }));
    let run = Desk::at(&aws).variable("AWS_REGION", "af-south-1").tapctl(&["plan"]).expect(1);
    assert!(
        error(&run).starts_with(
            "error: sts:GetCallerIdentity: RegionNotEnabled: af-south-1 does not take credentials that us-east-1 takes: it is \
             not enabled in account 123456789012, or "
        ),
        "{run}"
    );
    assert!(error(&run).contains("\nhint: enable af-south-1 in the account, or "), "{run}");
    Desk::at(&aws).tapctl(&["plan", "--target", "vpc"]).expect(2);
}

#[test]
fn session_tokens_that_iam_alone_refuses_are_not_renewed_for_ever() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(json!({ "match": { "service": "iam" }, "times": 100_000, "action": "error", "status": 403,
                      "code": "InvalidClientTokenId", "message": "The security token included in the request is invalid." }));
    let mark = aws.mark();
    let run = desk.tapctl(&["apply", "--yes"]).expect(1);
    assert!(run.stderr.contains("hint: IAM alone takes no session token that was got without MFA"), "{run}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

#[test]
fn a_refused_signature_is_told_without_the_request_it_quotes() {
    let aws = LocalAws::lease();
    let message = "The request signature we calculated does not match the signature you provided. Check your key.\n\nThe \
                   Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:SECRETTOKEN123\n'";
    for (code, message) in
        [("SignatureDoesNotMatch", message), ("ValidationError", "x-amz-security-token:SECRETTOKEN123")]
    {
        aws.fault(json!({ "match": { "operation": "DescribeVpcs" }, "times": 20, "action": "error", "status": 403,
                          "code": code, "message": message }));
        let run = Desk::at(&aws).tapctl(&["plan", "--target", "vpc", "-v"]);
        assert!(run.stderr.contains(code) && !run.stderr.contains("SECRETTOKEN123"), "{run}");
        aws.lift_faults();
    }
}

const MFA: &str = "
[profile base]
region = us-east-1
aws_access_key_id = AKIDBASE
aws_secret_access_key = hush
[profile admin]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/somebody
";

/// Types a code where one is asked for, on a terminal of its own.
const TERMINAL: &str = r#"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said, typed = b"", False
while True:
    try:
        some = os.read(terminal, 4096)
    except OSError:
        break
    if not some:
        break
    said += some
    if b"MFA code of arn:aws:iam::123456789012:mfa/somebody: " in said and not typed:
        typed = True
        os.write(terminal, b"123456\n")
sys.stdout.write(said.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn an_mfa_code_is_asked_for_on_a_terminal() {
    let aws = LocalAws::lease();
    let desk = with_profiles(&aws, MFA).variable("AWS_PROFILE", "admin");
    let run = keyless(&desk, &["plan"]).expect(4);
    assert_eq!(
        error(&run),
        "error: MfaNeeded: the profile admin asks for an MFA code, and there is no terminal to ask on\nhint: get the \
         credentials beforehand: eval \"$(aws configure export-credentials --profile admin --format env)\", a \
         credential_process in the profile, or aws-vault exec admin -- tapctl …"
    );
    assert_eq!(aws.log().len(), 0, "nothing was sent");

    let like = desk.command(&[]);
    let mut command = script();
    command.args(["python", "-c", TERMINAL, env!("CARGO_BIN_EXE_tapctl"), "plan", "--target", "vpc"]);
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(desk.path(""));
    for name in KEYS {
        command.env_remove(name);
    }
    command.env("HOME", std::env::var_os("HOME").unwrap_or_default());
    let ended = command.output().expect("python runs");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains(" in account 123456789012, us-east-1, at http://"), "{said}");
    let assumed: Vec<_> = aws.log().into_iter().filter(|call| call.operation == "AssumeRole").collect();
    assert_eq!(assumed.len(), 1, "a code works once: {assumed:?}");
    assert_eq!(assumed[0].params["SerialNumber"], "arn:aws:iam::123456789012:mfa/somebody");
    assert_eq!(assumed[0].params["RoleArn"], "arn:aws:iam::123456789012:role/admin");
}

#[test]
fn credentials_that_end_are_renewed() {
    let aws = LocalAws::lease();
    let shelf = Desk::at(&aws);
    let (giver, count) = (shelf.path("giver"), shelf.path("count"));
    // Ten seconds before their end they are used no more.
    let text = format!(
        "echo x >> {}\necho \"{{\\\"Version\\\": 1, \\\"AccessKeyId\\\": \\\"AKID\\\", \\\"SecretAccessKey\\\": \\\"hush\\\", \
         \\\"SessionToken\\\": \\\"token\\\", \\\"Expiration\\\": \\\"$(date -u -d '+11 seconds' +%Y-%m-%dT%H:%M:%SZ)\\\"}}\"\n",
        count.display()
    );
    std::fs::write(&giver, text).expect("it is written");
    let desk = with_profiles(&aws, &format!("[default]\ncredential_process = /bin/sh {}\n", giver.display()));
    let asked_first = json!({ "operation": "GetCallerIdentity" });
    aws.fault(json!({ "match": asked_first, "times": 1, "action": "delay", "seconds": 2 }));
    keyless(&desk, &["plan"]).expect(2);
    let given = std::fs::read_to_string(count).expect("credentials were asked for").lines().count();
    assert!(given > 1, "given {given} times");
}

#[test]
fn who_must_log_in_is_told_how() {
    let aws = LocalAws::lease();
    let desk = with_profiles(
        &aws,
        "[profile campus]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n[sso-session corp]\n\
         sso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n[profile browser]\n\
         login_session = arn:aws:iam::123456789012:user/somebody\n",
    );
    for (profile, way) in [("campus", "aws sso login --profile campus"), ("browser", "aws login --profile browser")] {
        let run = keyless(&desk, &["plan", "--profile", profile]).expect(4);
        assert!(error(&run).ends_with(&format!("\nhint: run `{way}`, then run again")), "{run}");
        assert!(!run.stderr.contains("cargo feature"), "{run}");
    }
}

#[test]
fn trouble_on_the_way_to_credentials_is_trouble_with_the_network() {
    let aws = LocalAws::lease();
    let gone = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let desk = Desk::at(&aws)
        .variable("AWS_ENDPOINT_URL_STS", &format!("http://{gone}"))
        .variable("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")
        .variable("AWS_EC2_METADATA_DISABLED", "true");
    std::fs::write(desk.path("token"), "token").expect("it is written");
    let token = desk.path("token").display().to_string();
    let run = keyless(&desk.variable("AWS_WEB_IDENTITY_TOKEN_FILE", &token), &["plan"]).expect(1);
    assert!(error(&run).contains("NoConnection: "), "{run}");
    assert!(error(&run).contains("\nhint: check network, proxy, "), "{run}");
}

#[test]
fn a_silent_host_is_told_within_seconds() {
    let aws = LocalAws::lease();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let desk = Desk::at(&aws).variable("AWS_ENDPOINT_URL_STS", &url);
    let mut child = desk.command(&["plan"]).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let start = std::time::Instant::now();
    let said = lines.next().expect("a line").expect("of text");
    let _ = child.kill();
    let _ = wait_for("its end", Duration::from_secs(10), || child.try_wait().ok().flatten());
    assert_eq!(said, "note: no answer from 127.0.0.1 yet; still waiting");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}
