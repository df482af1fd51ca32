//! Attributes and global names that are looked up by a name which is put together at run time, by what that begins with:
//! `getattr(plugin, f"after_{event}")`.

use std::path::PathBuf;

use ruff_db::parsed::parsed_module;
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr, walk_stmt};
use ruff_python_ast::{self as ast, Expr, InterpolatedStringElement, Operator, Stmt};
use ruff_text_size::{Ranged as _, TextRange};
use ty_python_core::ProgramFile;
use ty_python_semantic::Db as _;

use super::Snapshot;
use super::database;
use super::syntax_index::last_name;

/// The words by one of which such a lookup is made.
const LOOKS: &[&str] = &["attrgetter", "getattr", "globals", "locals", "methodcaller", "vars"];

/// A lookup by a name that begins with a known text.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
struct Lookup {
    beginning: String,
    start: u32,
    end: u32,
}

/// The lookups of a file, in the order of its text.
#[salsa::tracked(returns(ref))]
fn lookups_in<'db>(db: &'db dyn database::Db, file: ProgramFile<'db>) -> Vec<Lookup> {
    let parsed = parsed_module(db, file.python_file(db)).load(db);
    let mut names = Named(vec![]);
    names.visit_body(&parsed.syntax().body);
    let mut collector = Collector { names: names.0, found: vec![] };
    collector.visit_body(&parsed.syntax().body);
    collector.found
}

impl Snapshot {
    /// The lookups of the workspace whose name may be `name`, with the file of each. `None` where the workspace has more files
    /// than are looked through.
    pub fn lookups_of(&self, name: &str) -> Option<Vec<(PathBuf, TextRange)>> {
        let mut found: Vec<(PathBuf, TextRange)> = vec![];
        for word in LOOKS {
            for candidate in self.files_with(&[word])? {
                let lookups = lookups_in(self, self.program_file(candidate.file)).iter();
                let fitting = lookups.filter(|lookup| name.starts_with(&lookup.beginning));
                found.extend(fitting.map(|lookup| {
                    (candidate.path.to_path_buf(), TextRange::new(lookup.start.into(), lookup.end.into()))
                }));
            }
        }
        found.sort_by_key(|(path, range)| (path.clone(), range.start()));
        found.dedup();
        Some(found)
    }
}

/// What a text that is put together begins with: not nothing.
fn beginning(sought: &Expr, names: &[(String, String)]) -> Vec<String> {
    let literal = |expr: &Expr| expr.as_string_literal_expr().map(|text| text.value.to_str().to_string());
    let first = |text: &str, end: char| text.split(end).next().unwrap_or_default().to_string();
    let known = match sought {
        Expr::BinOp(sum) if sum.op == Operator::Add => {
            return match literal(&sum.left) {
                Some(text) => vec![text],
                None => beginning(&sum.left, names),
            };
        }
        Expr::BinOp(filled) if filled.op == Operator::Mod => literal(&filled.left).map(|text| first(&text, '%')),
        Expr::FString(string) => match string.value.elements().next() {
            Some(InterpolatedStringElement::Literal(text)) => Some(text.value.to_string()),
            _ => None,
        },
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "format" => {
                literal(&method.value).map(|text| first(&text, '{'))
            }
            _ => None,
        },
        Expr::Name(name) => {
            let own = names.iter().filter(|(bound, _)| *bound == name.id.as_str());
            return own.map(|(_, text)| text.clone()).collect();
        }
        _ => None,
    };
    known.into_iter().filter(|text| !text.is_empty()).collect()
}

/// The names that are bound to texts which are put together, anywhere in the file.
struct Named(Vec<(String, String)>);

impl<'a> SourceOrderVisitor<'a> for Named {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::Assign(ast::StmtAssign { targets, value, .. }) = statement
            && let [Expr::Name(name)] = targets.as_slice()
        {
            self.0.extend(beginning(value, &[]).into_iter().map(|text| (name.id.to_string(), text)));
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Named(named) = expr
            && let Expr::Name(name) = &*named.target
        {
            self.0.extend(beginning(&named.value, &[]).into_iter().map(|text| (name.id.to_string(), text)));
        }
        walk_expr(self, expr);
    }
}

struct Collector {
    names: Vec<(String, String)>,
    found: Vec<Lookup>,
}

impl<'a> SourceOrderVisitor<'a> for Collector {
    fn visit_expr(&mut self, expr: &'a Expr) {
        let sought = match expr {
            Expr::Call(call) => match last_name(&call.func) {
                Some("getattr") => call.arguments.args.get(1),
                Some("attrgetter" | "methodcaller") => call.arguments.args.first(),
                _ => None,
            },
            Expr::Subscript(entry) => match &*entry.value {
                Expr::Call(call) if matches!(last_name(&call.func), Some("globals" | "locals" | "vars")) => {
                    Some(&*entry.slice)
                }
                _ => None,
            },
            _ => None,
        };
        for beginning in sought.into_iter().flat_map(|sought| beginning(sought, &self.names)) {
            let (start, end) = (expr.start().to_u32(), expr.end().to_u32());
            self.found.push(Lookup { beginning, start, end });
        }
        walk_expr(self, expr);
    }
}
