//! Addresses as clients write them: some leave characters as they are that an address must not have (RFC 3986), such as the
//! brackets in `file:///app/[id]/page.py`. They are escaped before a message is taken apart, which is not read otherwise.

use std::str::FromStr as _;

use serde_json::Value;
use tower_lsp_server::jsonrpc::Request;
use tower_lsp_server::ls_types::Uri;

/// The members of the protocol's objects that hold an address.
const MEMBERS: &[&str] = &["baseUri", "rootUri", "scopeUri", "uri"];

/// The message with addresses that can be read.
pub(super) fn mended(call: Request) -> Request {
    if !call.params().is_some_and(any_is_broken) {
        return call;
    }
    let (method, id, params) = call.into_parts();
    let mut params = params.unwrap_or_default();
    mend_all(&mut params);
    let call = Request::build(method).params(params);
    id.into_iter().fold(call, |call, id| call.id(id)).finish()
}

fn any_is_broken(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| match value {
            Value::String(address) => MEMBERS.contains(&name.as_str()) && is_broken(address),
            other => any_is_broken(other),
        }),
        Value::Array(items) => items.iter().any(any_is_broken),
        _ => false,
    }
}

fn is_broken(address: &str) -> bool {
    Uri::from_str(address).is_err()
}

fn mend_all(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(address) if MEMBERS.contains(&name.as_str()) && is_broken(address) => {
                        *address = escaped(address);
                    }
                    other => mend_all(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mend_all),
        _ => {}
    }
}

/// Escapes what has no place behind the scheme. What is escaped already stays as it is.
fn escaped(address: &str) -> String {
    let start = address.find(':').map_or(0, |at| at + 1);
    let (scheme, rest) = address.split_at(start);
    let mut result = scheme.to_string();
    let bytes = rest.as_bytes();
    let mut has_fragment = false;
    for (index, byte) in bytes.iter().enumerate() {
        let is_right = match byte {
            b'%' => bytes.get(index + 1..index + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            b'#' => !std::mem::replace(&mut has_fragment, true),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(byte),
        };
        match is_right {
            true => result.push(char::from(*byte)),
            false => result.push_str(&format!("%{byte:02X}")),
        }
    }
    result
}
