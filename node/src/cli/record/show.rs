//! `record show` and `record history`.

use anyhow::Result;
use proto::hub::v1::{CompareCopiesRequest, Marks, RecordHistoryRequest, ShowRecordRequest};
use serde_json::{Value, json};

use super::{ActingAs, parse};
use crate::cli::Client;
use crate::cli::output::{Output, moment, plain, table};

pub(super) async fn show(
    mut client: Client,
    id: String,
    day: String,
    acting: ActingAs,
    output: Output,
) -> Result<()> {
    let shown = client
        .show_record(ShowRecordRequest {
            id,
            day,
            acting: acting.request(),
        })
        .await?
        .into_inner();
    let fields = parse(&shown.json)?;
    let (problems, more) = (parse(&shown.problems)?, parse(&shown.more)?);
    let marks = shown.marks.unwrap_or_default();
    let value = json!({
        "id": shown.id, "kind": shown.kind, "space": shown.space, "heads": shown.heads,
        "marks": {
            "saved": marks.saved, "sent": marks.sent, "received": marks.received,
            "members": marks.members, "unsent": marks.unsent, "own": marks.own,
        },
        "fields": fields, "problems": problems, "more": more,
    });
    output.print(&value, || {
        let mut rows = vec![vec!["kind".to_owned(), shown.kind.clone()]];
        let fields = fields.as_object().into_iter().flatten();
        for (name, value) in fields.filter(|(name, _)| *name != "kind_of_record") {
            rows.push(vec![name.clone(), plain(value)]);
        }
        for problem in problems.as_array().into_iter().flatten() {
            let cell = |name: &str| problem.get(name).map(plain).unwrap_or_default();
            rows.push(vec!["not as declared".to_owned(), cell("message")]);
        }
        for copy in more["copies"].as_array().into_iter().flatten() {
            let cell = |name: &str| copy.get(name).map(plain).unwrap_or_default();
            let told = format!(
                "version {} of {} ({})",
                cell("version"),
                cell("on"),
                cell("state")
            );
            rows.push(vec!["kept copy".to_owned(), told]);
        }
        for difference in more["differences"].as_array().into_iter().flatten() {
            let cell = |name: &str| difference.get(name).map(plain).unwrap_or_default();
            let told = format!("{}: {} -> {}", cell("label"), cell("before"), cell("after"));
            rows.push(vec!["changed since".to_owned(), told]);
        }
        rows.push(vec!["marks".to_owned(), describe(&marks)]);
        table(&["FIELD", "VALUE"], &rows)
    });
    Ok(())
}

pub(super) async fn history(
    mut client: Client,
    request: RecordHistoryRequest,
    output: Output,
) -> Result<()> {
    let answer = client.record_history(request).await?.into_inner();
    let value = parse(&answer.json)?;
    output.print(&value, || {
        let rows = value.as_array().into_iter().flatten().map(|step| {
            let time = step
                .get("time_ms")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            let cell = |name: &str| step.get(name).map(plain).unwrap_or_default();
            vec![moment(time), cell("hub"), cell("field"), cell("value")]
        });
        table(
            &["WHEN", "HUB", "FIELD", "VALUE"],
            &rows.collect::<Vec<_>>(),
        )
    });
    Ok(())
}

pub(super) async fn compare(
    mut client: Client,
    request: CompareCopiesRequest,
    output: Output,
) -> Result<()> {
    let answer = client.compare_copies(request).await?.into_inner();
    let value = parse(&answer.json)?;
    output.print(&value, || {
        let rows = value.as_array().into_iter().flatten().map(|difference| {
            let cell = |name: &str| difference.get(name).map(plain).unwrap_or_default();
            vec![cell("label"), cell("before"), cell("after")]
        });
        let rows = rows.collect::<Vec<_>>();
        if rows.is_empty() {
            return "the two copies say the same".to_owned();
        }
        table(&["FIELD", "BEFORE", "AFTER"], &rows)
    });
    Ok(())
}

fn describe(marks: &Marks) -> String {
    if marks.own == 0 {
        return "nothing here is this node's own".to_owned();
    }
    if marks.unsent > 0 {
        return format!("saved; {} changes not sent yet", marks.unsent);
    }
    let sent = if marks.sent { "saved, sent" } else { "saved" };
    match marks.members {
        0 if marks.sent => sent.to_owned(),
        0 => format!("{sent}; kept at this hub alone"),
        members if marks.received == members => format!("{sent}, received everywhere"),
        members => format!("{sent}, received by {} of {members}", marks.received),
    }
}
