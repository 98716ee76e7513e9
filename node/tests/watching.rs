//! The real binary, watched: status that is shown again, health and reflection on its socket, the audit
//! log's commands, and traces that reach a collector.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use node::folder::DataFolder;
use node::local;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

const NODE: &str = env!("CARGO_BIN_EXE_causeway-node");
const PATIENCE: Duration = Duration::from_secs(60);

fn run(data: &Path, arguments: &[&str]) -> Output {
    let output = Command::new("timeout")
        .args(["60", NODE, "--data"])
        .arg(data)
        .args(arguments)
        .output();
    output.expect("the program runs")
}

fn text(output: &Output) -> String {
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A program that is ended with the test.
struct Running(Child);

impl Running {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(NODE);
        command.arg("--data").arg(data).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        Self(command.spawn().expect("the program starts"))
    }

    /// A node that serves, once its socket answers.
    fn serve(data: &Path) -> Self {
        let serving = Self::start(data, &["serve"]);
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(DataFolder::socket(data)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the node does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
        serving
    }

    /// Asks it to stop as Ctrl-C does, and waits.
    fn interrupt(mut self) -> i32 {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status();
        assert!(told.expect("kill runs").success());
        let status = self.0.wait().expect("it ends");
        status.code().expect("it ends by itself")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What ended by itself is ended already.
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// A new node that serves no pages.
fn new_node(folder: &Path, settings: &str) -> std::path::PathBuf {
    let data = folder.join("hub");
    let done = run(&data, &["init"]);
    assert!(done.status.success(), "{}", text(&done));
    let settings = format!("[web]\nlisten = \"\"\n{settings}");
    std::fs::write(data.join("causeway.toml"), settings).expect("settings");
    data
}

#[test]
fn status_is_shown_again_until_ctrl_c_without_a_terminals_signs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = new_node(folder.path(), "");
    let nothing = run(&data, &["status", "--watch"]);
    assert_eq!(nothing.status.code(), Some(69), "{}", text(&nothing));
    assert!(text(&nothing).contains("start it with `serve`"));
    let serving = Running::serve(&data);
    for (arguments, sign) in [
        (&["status", "--watch", "--every", "1s"][..], "STATUS"),
        (
            &["--json", "status", "--watch", "--every", "1s"][..],
            "{\"hub\"",
        ),
    ] {
        let mut watching = Running::start(&data, arguments);
        let out = watching.0.stdout.take().expect("its output");
        let mut lines = BufReader::new(out).lines();
        let mut shown = Vec::new();
        while shown
            .iter()
            .filter(|line: &&String| line.starts_with(sign))
            .count()
            < 3
        {
            shown.push(lines.next().expect("a line").expect("text"));
        }
        assert!(!shown.concat().contains('\x1b'), "no signs for a terminal");
        assert_eq!(watching.interrupt(), 0);
        if sign != "STATUS" {
            for line in shown {
                serde_json::from_str::<serde_json::Value>(&line).expect("one JSON value a line");
            }
        }
    }
    // A node that goes meanwhile is waited for.
    let mut watching = Running::start(&data, &["status", "--watch", "--every", "1s"]);
    let mut out = watching.0.stdout.take().expect("its output");
    let mut first = [0; 64];
    out.read_exact(&mut first).expect("it is shown");
    assert_eq!(serving.interrupt(), 0);
    let mut lines = BufReader::new(out).lines();
    assert!(lines.any(|line| line.expect("text").contains("nothing runs")));
    assert_eq!(watching.interrupt(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_says_whether_the_node_is_ready_and_what_services_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = new_node(folder.path(), "");
    let _serving = Running::serve(&data);
    let channel = local::connect(&DataFolder::socket(&data)).await;
    let channel = channel.expect("the socket answers");
    let mut health = HealthClient::new(channel.clone());
    let begun = Instant::now();
    loop {
        let asked = HealthCheckRequest {
            service: "causeway.hub.v1.Hub".to_owned(),
        };
        let status = health
            .check(asked)
            .await
            .expect("an answer")
            .into_inner()
            .status;
        if status == tonic_health::ServingStatus::Serving as i32 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is never ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut reflection = ServerReflectionClient::new(channel);
    let mut ask = async |request| {
        let asked = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(request),
        };
        let answers = reflection.server_reflection_info(tokio_stream::once(asked));
        let mut answers = answers.await.expect("answers").into_inner();
        let answer = answers.message().await.expect("an answer").expect("one");
        answer.message_response.expect("a message")
    };
    let services = ask(MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(services) = services else {
        panic!("{services:?}");
    };
    let services = services.service;
    let names = services.into_iter().map(|it| it.name).collect::<Vec<_>>();
    for name in ["causeway.hub.v1.Hub", "grpc.health.v1.Health"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    let symbol = MessageRequest::FileContainingSymbol("causeway.hub.v1.Hub".to_owned());
    let files = ask(symbol).await;
    let MessageResponse::FileDescriptorResponse(files) = files else {
        panic!("{files:?}");
    };
    assert!(!files.file_descriptor_proto.is_empty());
}

#[test]
fn the_audit_log_is_listed_and_checked_also_while_the_node_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("hub");
    let missing = run(&data, &["audit", "verify"]);
    assert_eq!(missing.status.code(), Some(1), "{}", text(&missing));
    let data = new_node(folder.path(), "[sync]\ncopy_entries_min = 64\n");
    let copy = folder.path().join("copy.db");
    let done = run(&data, &["backup", copy.to_str().expect("a path")]);
    assert!(done.status.success(), "{}", text(&done));
    let serving = Running::serve(&data);
    let listed = run(&data, &["--json", "audit", "list"]);
    let lines: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let lines = lines.as_array().expect("lines");
    let kinds = lines
        .iter()
        .map(|line| line["kind"].as_str().expect("a kind"));
    let kinds = kinds.collect::<Vec<_>>();
    let expected = [
        "log begun",
        "backup complete",
        "started",
        "settings changed",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(lines[3]["fields"]["sync.copy_entries_min"], "64");
    let none = run(&data, &["--json", "audit", "list", "--since", "2200-01-01"]);
    assert_eq!(text(&none).trim(), "[]");
    let some = run(
        &data,
        &["audit", "list", "--since", "1h", "--kind", "started"],
    );
    assert!(text(&some).contains("started") && !text(&some).contains("backup"));
    let whole = run(&data, &["audit", "verify"]);
    assert_eq!(whole.status.code(), Some(0), "{}", text(&whole));
    assert!(text(&whole).contains("is the one that the store remembers"));
    assert_eq!(serving.interrupt(), 0);
    // Cut off at its end, as the store remembers it.
    let sqlite = |sql: &str| {
        let connection = rusqlite::Connection::open(data.join("audit.db")).expect("the log");
        connection.execute_batch(sql).expect("tampered with");
    };
    sqlite("DROP TRIGGER lines_remain; DROP TRIGGER lines_stay");
    sqlite("DELETE FROM lines WHERE kind = 'stopped'");
    let cut = run(&data, &["audit", "verify"]);
    assert_eq!(cut.status.code(), Some(2), "{}", text(&cut));
    assert!(text(&cut).contains("its end was cut off"));
    sqlite("UPDATE lines SET time_ms = 1 WHERE kind = 'backup complete'");
    let changed = run(&data, &["--json", "audit", "verify"]);
    assert_eq!(changed.status.code(), Some(2), "{}", text(&changed));
    let fault: serde_json::Value = serde_json::from_slice(&changed.stdout).expect("JSON");
    let fault = fault["fault"].as_str().expect("a fault");
    assert!(
        fault.starts_with("line 2 is not what was written"),
        "{fault}"
    );
}

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (Collector, SocketAddr) {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = TraceServiceServer::new(collector.clone());
    let served = tonic::transport::Server::builder()
        .add_service(service)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(served);
    (collector, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_reach_a_collector_and_hold_nothing_of_a_record() {
    let (collector, address) = collector().await;
    let folder = tempfile::tempdir().expect("a folder");
    let settings = format!("[telemetry]\notlp = \"http://{address}\"\n");
    let data = new_node(folder.path(), &settings);
    let asked = tokio::task::spawn_blocking(move || {
        let serving = Running::serve(&data);
        let status = run(&data, &["status"]);
        assert!(status.status.success(), "{}", text(&status));
        let words = ["record", "list", "--words", "Quillon Planted"];
        assert!(run(&data, &words).status.success());
        assert_eq!(serving.interrupt(), 0);
    });
    asked.await.expect("asked");
    let kept = collector.0.lock().unwrap_or_else(PoisonError::into_inner);
    let resources = kept.iter().flat_map(|sent| &sent.resource_spans);
    let mut names = Vec::new();
    for resource in resources {
        let of = format!("{:?}", resource.resource);
        assert!(of.contains("causeway-node"), "{of}");
        let spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
        for span in spans {
            let told = format!("{span:?}");
            assert!(!told.contains("Planted"), "{told}");
            names.push((span.name.clone(), told));
        }
    }
    let request = |what: &str| {
        let mut spans = names.iter();
        spans.any(|(name, told)| name == "request" && told.contains(what))
    };
    assert!(
        request("\"status\"") && request("\"list_records\""),
        "{names:?}"
    );
    assert!(names.iter().any(|(name, _)| name == "apply"), "{names:?}");
}

#[test]
fn a_collector_that_does_not_answer_holds_nothing_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = new_node(
        folder.path(),
        "[telemetry]\notlp = \"http://127.0.0.1:9\"\n",
    );
    let serving = Running::serve(&data);
    assert!(run(&data, &["status"]).status.success());
    assert_eq!(serving.interrupt(), 0);
}

#[test]
fn settings_of_watching_that_cannot_be_used_stop_the_node() {
    let folder = tempfile::tempdir().expect("a folder");
    for (settings, says) in [
        ("[metrics]\nlisten = \"0.0.0.0:9480\"\n", "metrics.anywhere"),
        ("[metrics]\nlisten = \"here\"\n", "an IP address and a port"),
        (
            "[telemetry]\notlp = \"https://collector.example\"\n",
            "telemetry.otlp",
        ),
    ] {
        let data = folder.path().join(says);
        let data = new_node(&data, settings);
        let refused = run(&data, &["serve"]);
        assert_eq!(refused.status.code(), Some(64), "{}", text(&refused));
        assert!(text(&refused).contains(says), "{}", text(&refused));
    }
}
