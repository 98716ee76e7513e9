//! Stopping: within the configured time and ten seconds, whatever goes on. A program that had to be broken
//! off at the end of that time says so by its code, so that no test looks at a clock.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Instant;

use node::folder::DataFolder;
use node::{Node, local};
use tests::visitor::{Visitor, account};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::program::{PATIENCE, Serving, command, done, free_address, pipe, settings};

/// Waits until a data folder is free again.
async fn until_free(data: &Path) {
    while DataFolder::open(data).is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Waits until the coordinator has a session with its one hub.
async fn until_connected(ncetm: &Path) {
    let begun = Instant::now();
    loop {
        let asked = command("coordinator", ncetm, &["hubs"]);
        let told = tokio::task::spawn_blocking(move || done(asked)).await;
        let told = told.expect("asked");
        if told.contains("connected") {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{told}");
    }
}

/// Whether a program is well, asked without end.
async fn watch(data: &Path) -> tonic::Streaming<tonic_health::pb::HealthCheckResponse> {
    let channel = local::connect(&DataFolder::socket(data)).await;
    let mut health = HealthClient::new(channel.expect("the socket answers"));
    let stream = health.watch(HealthCheckRequest::default()).await;
    let mut stream = stream.expect("a stream").into_inner();
    stream.message().await.expect("an answer");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stops_in_time_with_streams_requests_and_an_export_under_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("hub");
    let address = free_address();
    let text = format!("[web]\nlisten = \"{address}\"\n[shutdown]\ngrace_ms = 1000\n");
    settings(&data, &text);
    let node = Node::create(&data).expect("a node");
    account(&node, "Ama Lead", "hub lead", "");
    let ama = Visitor::sign_in(&node, address, "Ama Lead", 0);
    drop(node);
    until_free(&data).await;
    let serving = Serving::ready("node", &data).await;

    let _well = watch(&data).await;
    // A page that hears of news.
    let mut page = TcpStream::connect(address).await.expect("it listens");
    let asked = format!(
        "GET /events HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\n\r\n",
        ama.cookie
    );
    page.write_all(asked.as_bytes()).await.expect("asked");
    let mut head = [0; 15];
    page.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    // A form that never comes to its end.
    let mut form = TcpStream::connect(address).await.expect("it listens");
    let begun = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 900\r\n\r\nemail="
    );
    form.write_all(begun.as_bytes()).await.expect("begun");
    // A whole hub is taken out, by a command that the node answers.
    let target = folder.path().join("all");
    let target = target.to_str().expect("a path");
    let export = Serving::start(command("node", &data, &["export", "hub", target]));

    serving.terminate();
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0), "it had to be broken off: {log}");
    assert!(log.contains("asked to stop"), "{log}");
    // It ended by itself, with an answer or without one.
    let (code, said) = export.ended().await;
    assert!(code.is_some(), "{said}");
    drop(done(command("node", &data, &["audit", "verify"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_programs_stop_in_time_with_a_session_between_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ncetm, hub) = (folder.path().join("ncetm"), folder.path().join("hub"));
    let address = free_address();
    let more = "[web]\nlisten = \"\"\n[shutdown]\ngrace_ms = 500\n";
    let listen = format!("[listen]\naddress = \"{address}\"\npublic = \"{address}\"\n{more}");
    settings(&ncetm, &listen);
    settings(&hub, more);
    let keys = folder.path().join("keys");
    let keys = keys.to_str().expect("a path");
    let invitation = folder.path().join("south.toml");
    let file = invitation.to_str().expect("a path");
    done(command(
        "coordinator",
        &ncetm,
        &["init", "--new-keys", keys],
    ));
    let invite = [
        "invite",
        "south",
        "--name",
        "South",
        "--admit-at-once",
        "--out",
        file,
    ];
    done(command("coordinator", &ncetm, &invite));
    let coordinator = Serving::ready("coordinator", &ncetm).await;
    done(command("node", &hub, &["init"]));
    done(command("node", &hub, &["connect", file]));
    let node = Serving::ready("node", &hub).await;
    until_connected(&ncetm).await;
    let _well = watch(&ncetm).await;

    coordinator.terminate();
    let (code, log) = coordinator.ended().await;
    assert_eq!(code, Some(0), "it had to be broken off: {log}");
    node.terminate();
    let (code, log) = node.ended().await;
    assert_eq!(code, Some(0), "it had to be broken off: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("hub");
    settings(
        &data,
        "[web]\nlisten = \"\"\n[shutdown]\ngrace_ms = 600000\n",
    );
    done(command("node", &data, &["init"]));
    let mut serving = Serving::ready("node", &data).await;
    // Without it, there would be nothing to wait for.
    let _well = watch(&data).await;
    serving.terminate();
    serving.says("asked to stop").await;
    serving.signal(rustix::process::Signal::INT);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("asked to stop a second time"), "{log}");
    drop(done(command("node", &data, &["verify"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_counts_while_the_program_still_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    let keys = keys.to_str().expect("a path");
    for (program, words) in [
        ("node", &["init"][..]),
        ("coordinator", &["init", "--new-keys", keys][..]),
    ] {
        let data = folder.path().join(program);
        done(command(program, &data, words));
        // Settings that do not come: it starts for as long as that takes.
        let path = DataFolder::config(&data);
        pipe(&path);
        let begin = || Serving::start(command(program, &data, &["serve"]));
        let open = |path: std::path::PathBuf| async move {
            let opened = move || OpenOptions::new().write(true).open(path);
            let opened = tokio::task::spawn_blocking(opened);
            let opened = tokio::time::timeout(PATIENCE, opened).await;
            opened
                .expect("it asks for them")
                .expect("opened")
                .expect("a pipe")
        };
        let serving = begin();
        let mut pipe = open(path.clone()).await;
        serving.terminate();
        pipe.write_all(b"[web]\nlisten = \"\"\n").expect("settings");
        drop(pipe);
        let (code, log) = serving.ended().await;
        assert_eq!(code, Some(0), "{program}: {log}");

        let serving = begin();
        let pipe = open(path).await;
        serving.terminate();
        let (code, log) = serving.ended().await;
        assert_eq!(code, Some(1), "{program}: {log}");
        assert!(log.contains("the time to stop has passed"), "{log}");
        drop(pipe);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_is_told_when_it_serves_and_how_long_stopping_may_take() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("hub");
    settings(&data, "[web]\nlisten = \"\"\n[shutdown]\ngrace_ms = 2500\n");
    done(command("node", &data, &["init"]));
    let path = folder.path().join("notify");
    let supervisor = UnixDatagram::bind(&path).expect("a socket");
    supervisor.set_read_timeout(Some(PATIENCE)).expect("a time");
    let heard = |supervisor: UnixDatagram| async move {
        let heard = tokio::task::spawn_blocking(move || {
            let mut said = [0; 256];
            let bytes = supervisor.recv(&mut said).expect("it says how it stands");
            String::from_utf8_lossy(&said[..bytes]).into_owned()
        });
        heard.await.expect("heard")
    };
    let mut serve = command("node", &data, &["serve"]);
    serve.env("NOTIFY_SOCKET", &path);
    let serving = Serving::start(serve);
    let other = supervisor.try_clone().expect("the same");
    assert_eq!(heard(other).await, "READY=1\n");
    // It can be asked from then on.
    done(command("node", &data, &["status"]));
    serving.terminate();
    let stopping = "STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000\n";
    assert_eq!(heard(supervisor).await, stopping);
    assert_eq!(serving.ended().await.0, Some(0));
}

#[test]
fn nothing_set_up_is_said_with_what_to_do_and_a_code_that_is_not_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    for (program, next) in [("node", "run `setup`"), ("coordinator", "run `init`")] {
        let (code, said) = crate::program::run(command(program, folder.path(), &["serve"]));
        assert_eq!(code, Some(64), "{said}");
        assert!(
            said.contains("nothing is set up in") && said.contains(next),
            "{said}"
        );
        let (code, said) = crate::program::run(command(program, folder.path(), &["ready"]));
        assert_eq!(code, Some(69), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_what_is_printed_is_kept_no_link_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("hub");
    settings(&data, &format!("[web]\nlisten = \"{}\"\n", free_address()));
    done(command("node", &data, &["init"]));
    let mut serve = command("node", &data, &["serve", "--no-link"]);
    serve
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = tokio::process::Command::from(serve)
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut log = child.stderr.take().expect("its log");
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("nobody can sign in yet") {
        let mut byte = [0];
        log.read_exact(&mut byte).await.expect("it goes on");
        said.push(byte[0]);
    }
    let link = done(command("node", &data, &["account", "link"]));
    assert!(link.contains("/set-up/"), "{link}");
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let id = id
        .and_then(rustix::process::Pid::from_raw)
        .expect("it runs");
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it is told");
    let output = child.wait_with_output().await.expect("it ends");
    assert_eq!(output.stdout, b"", "nothing is printed");
    log.read_to_end(&mut said).await.expect("its log");
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains("/set-up/"), "{said}");
}
