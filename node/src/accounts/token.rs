//! What a browser or a link shows, and what is kept of it.

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::AccountId;

/// A fresh token, and the hash by which it is known again.
pub(super) fn fresh() -> (Zeroizing<String>, [u8; 32]) {
    let bytes = Zeroizing::new(crate::random::<32>());
    let text = Zeroizing::new(BASE64URL_NOPAD.encode(&*bytes));
    (text, hash(&bytes))
}

/// The hash by which a session's token is known; none if the text is no token.
pub(super) fn known(text: &str) -> Option<[u8; 32]> {
    decode::<32>(text).map(|bytes| hash(&bytes))
}

/// What the forms of a session carry, which only its own pages know.
pub(super) fn csrf(text: &str) -> String {
    let key = blake3::derive_key("causeway 2026-11 forms of a session", text.as_bytes());
    hex::encode(&key[..16])
}

/// A fresh token of a link for an account, and its hash.
pub(super) fn fresh_link(id: AccountId) -> (Zeroizing<String>, String) {
    let bytes = Zeroizing::new(crate::random::<32>());
    let mut whole = Zeroizing::new([0; 40]);
    whole[..8].copy_from_slice(&id.to_bytes());
    whole[8..].copy_from_slice(&*bytes);
    let text = Zeroizing::new(BASE64URL_NOPAD.encode(&*whole));
    (text, hex::encode(hash(&bytes)))
}

/// The account and the hash of a link's token; none if the text is no token.
pub(super) fn known_link(text: &str) -> Option<(AccountId, String)> {
    let whole = decode::<40>(text)?;
    let id = AccountId::from_bytes(whole[..8].try_into().ok()?);
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(&whole[8..]).ok()?);
    Some((id, hex::encode(hash(&bytes))))
}

fn hash(bytes: &[u8; 32]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

fn decode<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    if text.len() > 2 * N {
        return None;
    }
    let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}
