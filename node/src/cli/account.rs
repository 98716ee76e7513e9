//! `account`: who may use this node's pages.

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::hub::v1::{
    AddAccountRequest, EndAccountRequest, EndRoleRequest, GiveRoleRequest, GivenRole, Link,
    LinkAccountRequest, ListAccountsRequest,
};
use serde_json::{Value, json};

use super::Client;
use super::output::{Output, moment, table};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Lists who may use the pages, in which roles and until when.
    List,
    /// Makes an account and prints the link with which its owner chooses a password, once and
    /// within three days.
    Add {
        /// What to call its owner.
        name: String,
        /// With what they sign in.
        email: String,
        /// A role, such as "administrator".
        #[arg(long)]
        role: String,
        /// For whom: the id of a person's card or a partner, where the role needs one.
        #[arg(long, default_value = "")]
        holder: String,
        /// The role's last day, such as 2027-08-31.
        #[arg(long, default_value = "")]
        until: String,
        /// The account works at once with this password. Only on a node to try things out on, which
        /// has no real accounts.
        #[arg(long, value_name = "PASSWORD")]
        trying_out: Option<String>,
        /// The secret of the second factor of such an account, in base 32.
        #[arg(long, default_value = "", requires = "trying_out")]
        secret: String,
    },
    /// Prints a new link for somebody who is locked out; password and second factor are gone at
    /// once. Without an address it is the first link of a node that nobody has set up.
    Link {
        /// With what they sign in.
        #[arg(default_value = "")]
        email: String,
    },
    /// Ends an account and its sessions at once.
    End {
        /// With what they sign in.
        email: String,
    },
    /// Gives an account a role, or changes its last day.
    Give {
        /// With what they sign in.
        email: String,
        /// The role, such as "work group lead".
        role: String,
        /// For whom: the id of a person's card or a partner, where the role needs one.
        #[arg(long, default_value = "")]
        holder: String,
        /// The role's last day, such as 2027-08-31.
        #[arg(long, default_value = "")]
        until: String,
    },
    /// Takes a role from an account.
    Take {
        /// With what they sign in.
        email: String,
        /// The role.
        role: String,
        /// For whom, if the account has the role for several.
        #[arg(long, default_value = "")]
        holder: String,
        /// The role's last day; without it, it ends at once.
        #[arg(long, default_value = "")]
        until: String,
    },
}

/// Does something with accounts.
///
/// # Errors
/// A sentence, if the node cannot do it.
pub async fn run(mut client: Client, command: AccountCommand, output: Output) -> Result<()> {
    match command {
        AccountCommand::List => return list(client, output).await,
        AccountCommand::Add {
            name,
            email,
            role,
            holder,
            until,
            trying_out,
            secret,
        } => {
            let request = AddAccountRequest {
                name,
                email,
                roles: vec![given(role, holder, until)],
                for_trying_out: trying_out.is_some(),
                password: trying_out.unwrap_or_default(),
                second_factor_secret: secret,
            };
            let added = client.add_account(request).await?.into_inner();
            match added.link {
                Some(link) => print_link(&link, output),
                None => output.print(&json!({ "id": added.id }), || "done".to_owned()),
            }
        }
        AccountCommand::Link { email } => {
            let made = client.link_account(LinkAccountRequest { email }).await?;
            let link = made.into_inner().link;
            print_link(&link.context("the node gave no link")?, output);
        }
        AccountCommand::End { email } => {
            client.end_account(EndAccountRequest { email }).await?;
            done(output);
        }
        AccountCommand::Give {
            email,
            role,
            holder,
            until,
        } => {
            let role = Some(given(role, holder, until));
            client.give_role(GiveRoleRequest { email, role }).await?;
            done(output);
        }
        AccountCommand::Take {
            email,
            role,
            holder,
            until,
        } => {
            let request = EndRoleRequest {
                email,
                role,
                holder,
                until,
            };
            client.end_role(request).await?;
            done(output);
        }
    }
    Ok(())
}

async fn list(mut client: Client, output: Output) -> Result<()> {
    let accounts = client.list_accounts(ListAccountsRequest {}).await?;
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for account in accounts.into_inner().accounts {
        let roles = account.roles.iter().map(|role| {
            json!({
                "role": role.role, "holder": role.holder, "from": role.from, "until": role.until,
            })
        });
        values.push(json!({
            "id": account.id, "name": account.name, "email": account.email,
            "standing": account.standing, "second_factor": account.second_factor,
            "roles": roles.collect::<Vec<_>>(), "for_trying_out": account.for_trying_out,
        }));
        let roles = account.roles.iter().map(|role| match role.until.as_str() {
            "" => role.role.clone(),
            until => format!("{} until {until}", role.role),
        });
        rows.push(vec![
            account.name,
            account.email,
            account.standing,
            if account.second_factor { "yes" } else { "no" }.to_owned(),
            roles.collect::<Vec<_>>().join(", "),
        ]);
    }
    let heads = ["NAME", "E-MAIL", "STANDING", "SECOND FACTOR", "ROLES"];
    output.print(&Value::Array(values), || table(&heads, &rows));
    Ok(())
}

fn given(role: String, holder: String, until: String) -> GivenRole {
    GivenRole {
        role,
        holder,
        from: String::new(),
        until,
    }
}

fn print_link(link: &Link, output: Output) {
    let value = json!({ "path": link.path, "ends_ms": link.ends_ms });
    output.print(&value, || {
        format!(
            "{}\nopen it below the address of the pages; it works once, until {}",
            link.path,
            moment(link.ends_ms)
        )
    });
}

fn done(output: Output) {
    output.print(&json!({}), || "done".to_owned());
}
