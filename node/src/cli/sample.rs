//! `schema`, `sample` and `retain`.

use anyhow::Result;
use proto::hub::v1::{RetainRequest, SampleRequest};

use super::Client;
use super::output::{Output, plain, table};
use super::record::parse;

/// Prints the declarations. No node is needed.
///
/// # Errors
/// None.
pub fn schema(markdown: bool, output: Output) -> Result<()> {
    if markdown {
        print!("{}", node_domain::schema_markdown());
        return Ok(());
    }
    output.print(&node_domain::schema_json(), node_domain::schema_text);
    Ok(())
}

/// Fills the node with a year of made-up work.
pub(super) async fn run(mut client: Client, seed: u64, small: bool, output: Output) -> Result<()> {
    let request = SampleRequest { seed, small };
    let value = parse(&client.sample(request).await?.into_inner().json)?;
    output.print(&value, || {
        let rows = value.as_object().into_iter().flatten();
        let rows = rows.map(|(name, value)| vec![name.clone(), plain(value)]);
        table(&["MADE", ""], &rows.collect::<Vec<_>>())
    });
    Ok(())
}

/// Removes what need not be kept.
pub(super) async fn retain(mut client: Client, output: Output) -> Result<()> {
    let value = parse(&client.retain(RetainRequest {}).await?.into_inner().json)?;
    output.print(&value, || {
        let rows = value.as_array().into_iter().flatten().map(|removed| {
            let cell = |name: &str| removed.get(name).map(plain).unwrap_or_default();
            vec![cell("title"), cell("hub"), cell("space"), cell("record")]
        });
        let rows = rows.collect::<Vec<_>>();
        if rows.is_empty() {
            return "nothing had to be removed".to_owned();
        }
        table(&["REMOVED", "HUB", "FROM", "ID"], &rows)
    });
    Ok(())
}
