//! What an argument says of where a call goes: to a name server or a disk, or nowhere that one has to wait for.

use std::net::IpAddr;

use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::{self as ast, AnyNodeRef, Expr};
use ruff_text_size::Ranged as _;

use super::Module;

/// Stands in the table for an address that is no name, or none, or the own machine's name.
const ADDRESS: &str = "ADDRESS";
/// Stands in the table for a URL that holds its data itself or names a file.
const LOCAL_URL: &str = "LOCAL_URL";
/// Stands in the table for the name of a database in memory.
const MEMORY: &str = "MEMORY";

/// Names of the own machine, which are looked up in a file.
const OWN_NAMES: &[&str] = &["", "localhost"];

/// Whether a word of the table stands for a place.
pub(super) fn is_place(wanted: &str) -> bool {
    [ADDRESS, LOCAL_URL, MEMORY].contains(&wanted)
}

impl Module<'_> {
    /// Whether `value` is a place of the kind that the table has a word for.
    pub(super) fn is_at_place(&self, value: &Expr, wanted: &str) -> bool {
        let text = value.as_string_literal_expr().map(|literal| literal.value.to_str());
        match wanted {
            LOCAL_URL => self.is_local_url(value),
            MEMORY => text == Some(":memory:"),
            _ => {
                // Names are strings already; what is made one is an address of `ipaddress`.
                let is_made_text = value
                    .as_call_expr()
                    .is_some_and(|call| call.func.as_name_expr().is_some_and(|callee| callee.id.as_str() == "str"));
                value.is_none_literal_expr()
                    || is_made_text
                    || text.is_some_and(is_own_or_address)
                    || self.is_compared_with(value, is_own_or_address)
            }
        }
    }

    /// Whether `url` holds its data itself or names a file, as it says or as the function around it says.
    pub fn is_local_url(&self, url: &Expr) -> bool {
        let is_local = |text: &str| text.starts_with("data:") || text.starts_with("file:");
        let says_so = |def: &ast::StmtFunctionDef| {
            let name = def.name.to_lowercase();
            ["data_ur", "dataur", "file_ur"].iter().any(|part| name.contains(part))
        };
        if let Some(literal) = url.as_string_literal_expr() {
            return is_local(literal.value.to_str());
        }
        let covering = covering_node(self.syntax().into(), url.range());
        let function = covering.ancestors().find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(def) => Some(def),
            _ => None,
        });
        function.is_some_and(says_so)
    }

    /// Whether a test around `value` says that it equals a text of which `holds` is true: `if host == "localhost":`.
    fn is_compared_with(&self, value: &Expr, holds: impl Fn(&str) -> bool) -> bool {
        let source = self.source(value);
        let is_text = |expr: &Expr| expr.as_string_literal_expr().is_some_and(|text| holds(text.value.to_str()));
        let says_so = |test: &Expr| {
            let Expr::Compare(compare) = test else { return false };
            let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return false };
            let items = match right {
                Expr::Tuple(tuple) => tuple.elts.as_slice(),
                Expr::List(list) => list.elts.as_slice(),
                Expr::Set(set) => set.elts.as_slice(),
                other => std::slice::from_ref(other),
            };
            let is_equal = matches!(op, ast::CmpOp::Eq | ast::CmpOp::In);
            is_equal && self.source(&*compare.left) == source && items.iter().all(is_text)
        };
        covering_node(self.syntax().into(), value.range()).ancestors().any(|node| match node {
            AnyNodeRef::StmtIf(branch) => {
                says_so(&branch.test) && branch.body.iter().any(|inner| inner.range().contains_range(value.range()))
            }
            AnyNodeRef::ExprIf(choice) => says_so(&choice.test) && choice.body.range().contains_range(value.range()),
            _ => false,
        })
    }
}

/// Whether `host` needs no name server.
fn is_own_or_address(host: &str) -> bool {
    OWN_NAMES.contains(&host) || host.parse::<IpAddr>().is_ok()
}
