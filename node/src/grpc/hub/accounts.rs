//! Accounts, for the command line of whoever owns the data folder.

use proto::hub::v1::{
    Account, AddAccountRequest, AddAccountResponse, EndAccountRequest, EndAccountResponse,
    EndRoleRequest, EndRoleResponse, GiveRoleRequest, GiveRoleResponse, GivenRole, Link,
    LinkAccountRequest, LinkAccountResponse, ListAccountsRequest, ListAccountsResponse,
};
use tonic::Status;
use zeroize::Zeroizing;

use crate::Node;
use crate::accounts::{self, AccountError, Accounts, By, SetUpLink, Standing, TryingOut};
use crate::grpc::status::store;

pub(super) fn list_accounts(
    node: &Node,
    _request: ListAccountsRequest,
) -> Result<ListAccountsResponse, Status> {
    with(node, |accounts| {
        let listed = accounts.list()?.into_iter().map(account);
        Ok(ListAccountsResponse {
            accounts: listed.collect(),
        })
    })
}

pub(super) fn add_account(
    node: &Node,
    request: AddAccountRequest,
) -> Result<AddAccountResponse, Status> {
    let AddAccountRequest {
        name,
        email,
        roles,
        for_trying_out,
        password,
        second_factor_secret,
    } = request;
    let password = Zeroizing::new(password);
    let secret = Zeroizing::new(second_factor_secret);
    with(node, |accounts| {
        let roles = roles.into_iter().map(given).collect::<Vec<_>>();
        if for_trying_out {
            let id = accounts.try_out(&TryingOut {
                name,
                email,
                password,
                secret: Some(secret).filter(|secret| !secret.is_empty()),
                roles,
            })?;
            return Ok(AddAccountResponse {
                id: id.to_string(),
                link: None,
            });
        }
        if !password.is_empty() || !secret.is_empty() {
            return Err(AccountError::Refused(
                "only an account for trying out is given a password; its owner chooses it by \
                     the link"
                    .to_owned(),
            ));
        }
        let made = accounts.invite(By::CommandLine, &name, &email, &roles)?;
        Ok(AddAccountResponse {
            id: made.account.to_string(),
            link: Some(link(&made)),
        })
    })
}

pub(super) fn link_account(
    node: &Node,
    request: LinkAccountRequest,
) -> Result<LinkAccountResponse, Status> {
    let LinkAccountRequest { email } = request;
    with(node, |accounts| {
        let made = if email.is_empty() {
            accounts.first_link()?
        } else {
            let account = accounts.find_by_email(&email)?;
            accounts.reset(By::CommandLine, account.id)?
        };
        Ok(LinkAccountResponse {
            link: Some(link(&made)),
        })
    })
}

pub(super) fn end_account(
    node: &Node,
    request: EndAccountRequest,
) -> Result<EndAccountResponse, Status> {
    let EndAccountRequest { email } = request;
    with(node, |accounts| {
        let account = accounts.find_by_email(&email)?;
        accounts.end_account(By::CommandLine, account.id)?;
        Ok(EndAccountResponse {})
    })
}

pub(super) fn give_role(node: &Node, request: GiveRoleRequest) -> Result<GiveRoleResponse, Status> {
    let GiveRoleRequest { email, role } = request;
    with(node, |accounts| {
        let account = accounts.find_by_email(&email)?;
        let role = given(role.unwrap_or_default());
        accounts.give_role(By::CommandLine, account.id, &role)?;
        Ok(GiveRoleResponse {})
    })
}

pub(super) fn end_role(node: &Node, request: EndRoleRequest) -> Result<EndRoleResponse, Status> {
    let EndRoleRequest {
        email,
        role,
        holder,
        until,
    } = request;
    with(node, |accounts| {
        let account = accounts.find_by_email(&email)?;
        let named = |given: &accounts::GivenRole| {
            given.role == role && (holder.is_empty() || given.holder == holder)
        };
        let places = account.roles.iter().enumerate();
        let places = places.filter(|(_, given)| named(given));
        let places = places.map(|(place, _)| place).collect::<Vec<_>>();
        let refused = |sentence: String| Err(AccountError::Refused(sentence));
        let place = match places.as_slice() {
            [place] => *place,
            [] => return refused(format!("this account has no role \"{role}\"")),
            [_, ..] => {
                return refused(format!(
                    "this account is \"{role}\" for several; name the holder"
                ));
            }
        };
        accounts.end_role(By::CommandLine, account.id, place, Some(until.as_str()))?;
        Ok(EndRoleResponse {})
    })
}

fn with<T>(
    node: &Node,
    work: impl FnOnce(&Accounts) -> Result<T, AccountError>,
) -> Result<T, Status> {
    work(&node.accounts()).map_err(|error| status(&error))
}

/// The status that says what `error` says.
fn status(error: &AccountError) -> Status {
    let sentence = error.to_string();
    match error {
        AccountError::Password(_) | AccountError::Refused(_) => Status::invalid_argument(sentence),
        AccountError::Missing => Status::not_found(sentence),
        AccountError::MayNot(_)
        | AccountError::SignIn(_)
        | AccountError::SecondFactorFirst
        | AccountError::SessionEnded => Status::permission_denied(sentence),
        AccountError::Link | AccountError::NotFirst => Status::failed_precondition(sentence),
        AccountError::Busy | AccountError::Hash => Status::unavailable(sentence),
        AccountError::Store(error) => store(error, sentence),
    }
}

fn account(account: accounts::Account) -> Account {
    let standing = match account.standing {
        Standing::Invited => "invited",
        Standing::Active => "active",
        Standing::LockedUntil(_) => "locked",
        Standing::Ended => "ended",
    };
    let roles = account.roles.into_iter().map(|given| GivenRole {
        role: given.role,
        holder: given.holder,
        from: given.from,
        until: given.until.unwrap_or_default(),
    });
    Account {
        id: account.id.to_string(),
        name: account.name,
        email: account.email,
        standing: standing.to_owned(),
        second_factor: account.second_factor,
        roles: roles.collect(),
        for_trying_out: account.trying_out,
    }
}

fn given(role: GivenRole) -> accounts::GivenRole {
    accounts::GivenRole {
        role: role.role,
        holder: role.holder,
        from: role.from,
        until: Some(role.until).filter(|until| !until.is_empty()),
    }
}

fn link(made: &SetUpLink) -> Link {
    Link {
        path: made.path().to_string(),
        ends_ms: made.ends_ms,
    }
}
