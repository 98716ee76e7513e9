//! `record publish`, and what left.

use std::collections::BTreeMap;

use anyhow::Result;
use proto::hub::v1::{
    ListDisclosuresRequest, ListOffersRequest, PublishRecordRequest, ShowReleasedRequest,
};
use serde_json::{Value, json};

use super::parse;
use crate::cli::Client;
use crate::cli::output::{Output, moment, plain, table};

pub(super) async fn publish(
    mut client: Client,
    request: PublishRecordRequest,
    output: Output,
) -> Result<()> {
    let answer = client.publish_record(request).await?.into_inner();
    let fields = parse(&answer.json)?;
    let published = !answer.id.is_empty();
    let value = json!({
        "published": published, "id": answer.id, "readers": answer.readers, "leaves": fields,
        "digest": answer.digest,
    });
    output.print(&value, || {
        let rows = fields.as_object().into_iter().flatten();
        let rows = rows
            .map(|(name, value)| vec![name.clone(), plain(value)])
            .collect::<Vec<_>>();
        let leaves = table(&["LEAVES", "VALUE"], &rows);
        let readers = answer.readers.join(", ");
        if published {
            format!("{leaves}\npublished as {} to: {readers}", answer.id)
        } else {
            format!(
                "{leaves}\nwould be read by: {readers}\nnothing has left; to publish exactly this \
                 add --confirm={}",
                answer.digest
            )
        }
    });
    Ok(())
}

pub(super) async fn disclosures(
    mut client: Client,
    request: ListDisclosuresRequest,
    output: Output,
) -> Result<()> {
    let answer = client.list_disclosures(request).await?.into_inner();
    let value = parse(&answer.json)?;
    output.print(&value, || {
        let rows = value.as_array().into_iter().flatten().map(|it| {
            let cell = |name: &str| it.get(name).map(plain).unwrap_or_default();
            let time = it
                .get("time_ms")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            vec![
                moment(time),
                cell("action"),
                cell("fields"),
                cell("readers"),
                cell("record"),
            ]
        });
        let heads = ["WHEN", "WHAT", "FIELDS", "READERS", "RECORD"];
        table(&heads, &rows.collect::<Vec<_>>())
    });
    Ok(())
}

pub(super) async fn released(
    mut client: Client,
    request: ShowReleasedRequest,
    output: Output,
) -> Result<()> {
    let answer = client.show_released(request).await?.into_inner();
    let value = parse(&answer.json)?;
    output.print(&value, || {
        let Some(texts) = value.get("texts").and_then(Value::as_array) else {
            return "nothing of it was released yet".to_owned();
        };
        let rows = texts.iter().map(|text| {
            let cell = |name: &str| text.get(name).map(plain).unwrap_or_default();
            vec![
                cell("version"),
                cell("on"),
                cell("endorsed"),
                cell("changed_from"),
                cell("text"),
            ]
        });
        let heads = ["VERSION", "ON", "ENDORSED BY", "CORRECTS", "TEXT"];
        let table = table(&heads, &rows.collect::<Vec<_>>());
        if value.get("news") == Some(&Value::Bool(true)) {
            format!("{table}the last is new to you")
        } else {
            table
        }
    });
    Ok(())
}

pub(super) async fn offers(
    mut client: Client,
    request: ListOffersRequest,
    output: Output,
) -> Result<()> {
    let answer = client.list_offers(request).await?.into_inner();
    let value = parse(&answer.json)?;
    output.print(&value, || {
        let mut numbers = BTreeMap::<String, u32>::new();
        let rows = value.as_array().into_iter().flatten().map(|offer| {
            let cell = |name: &str| offer.get(name).map(plain).unwrap_or_default();
            let number = numbers.entry(cell("field")).or_default();
            *number += 1;
            let number = number.to_string();
            vec![
                cell("field"),
                number,
                cell("then"),
                cell("now"),
                cell("mine"),
            ]
        });
        let heads = ["FIELD", "NO", "ORIGINAL THEN", "ORIGINAL NOW", "HERE"];
        table(&heads, &rows.collect::<Vec<_>>())
    });
    Ok(())
}
