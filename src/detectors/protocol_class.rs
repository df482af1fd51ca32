//! Classes derived from asyncio's protocols: which of their methods the loop calls, and what they are not told. And from its
//! transports and servers: which methods they leave without a body.

use ruff_python_ast::{self as ast, AnyNodeRef, Expr, NodeKind, Stmt};

use super::nodes::{all_nodes, calls, method};
use super::{Detector, Fact, Finding, Findings};
use crate::analysis::{Class, Module, Site};
use crate::text::{Place, Ranged as _};

pub(super) const DETECTOR: Detector = Detector {
    concepts: &["asyncio/protocol-class", "asyncio/transport-class"],
    nodes: &[NodeKind::StmtClassDef],
    detect,
};

/// The classes, and what the loop calls of each, in the order in which it does.
const PROTOCOLS: &[(&str, &[&str])] = &[
    ("asyncio.BufferedProtocol", &["get_buffer", "buffer_updated", "eof_received"]),
    ("asyncio.DatagramProtocol", &["datagram_received", "error_received"]),
    ("asyncio.SubprocessProtocol", &["pipe_data_received", "pipe_connection_lost", "process_exited"]),
    ("asyncio.Protocol", &["data_received", "eof_received"]),
    ("asyncio.BaseProtocol", &[]),
];
/// What the loop calls of all of them, before and behind the others.
const MADE: &str = "connection_made";
const LOST: &str = "connection_lost";
const PAUSED: &str = "pause_writing";
const RESUMED: &str = "resume_writing";

/// The methods without a body of asyncio's classes of transports and servers, on every Python from 3.9 to 3.14.
const BASE: &[&str] = &["is_closing", "close", "get_protocol", "set_protocol"];
const READ: &[&str] = &["pause_reading", "resume_reading", "is_reading"];
const WRITE: &[&str] = &[
    "write",
    "write_eof",
    "can_write_eof",
    "abort",
    "get_write_buffer_size",
    "get_write_buffer_limits",
    "set_write_buffer_limits",
];
const DATAGRAM: &[&str] = &["sendto", "abort"];
const CHILD: &[&str] = &["get_pid", "get_returncode", "get_pipe_transport", "send_signal", "terminate", "kill"];
const SERVER: &[&str] = &["close", "get_loop", "is_serving", "start_serving", "serve_forever", "wait_closed"];
const INTERFACES: &[(&str, &[&[&str]])] = &[
    ("asyncio.BaseTransport", &[BASE]),
    ("asyncio.ReadTransport", &[READ, BASE]),
    ("asyncio.WriteTransport", &[WRITE, BASE]),
    ("asyncio.Transport", &[WRITE, READ, BASE]),
    ("asyncio.DatagramTransport", &[DATAGRAM, BASE]),
    ("asyncio.SubprocessTransport", &[CHILD, BASE]),
    ("asyncio.AbstractServer", &[SERVER]),
];

fn detect(site: &Site, findings: &mut Findings) -> Option<()> {
    let AnyNodeRef::StmtClassDef(statement) = site.node else { return None };
    let module = site.module;
    let is_asked = |base: &&Expr| site.is_asked(base.range());
    findings.extend(statement.bases().iter().filter(is_asked).find_map(|base| interface(module, statement, base)));
    let may_be = |base: &&Expr| PROTOCOLS.iter().any(|(name, _)| module.may_be(base, &[name]));
    let base = statement.bases().iter().find(may_be).filter(is_asked)?;
    let (_, own) = PROTOCOLS.iter().find(|(name, _)| module.is_symbol(base, name))?;
    let class = module.class(statement)?;
    let hears = definitions(module, statement, &class, PROTOCOLS)?;
    let called = [MADE].into_iter().chain(own.iter().copied()).chain([PAUSED, RESUMED, LOST]);
    let heard: Vec<String> = called.filter(|name| hears(name)).map(str::to_string).collect();
    if heard.is_empty() {
        return None;
    }
    let name = || Fact::from(statement.name.as_str());
    let is_connection = own.contains(&"eof_received");
    findings.push(
        Finding::new("asyncio/protocol-class", base.range())
            .fact("class", name())
            .fact("heard", Fact::from(heard))
            .fact("not_told", (!hears(LOST)).then(name))
            .fact("written_at", (is_connection && !hears(PAUSED)).then(|| Fact::from(writes(module, statement)))),
    );
    Some(())
}

/// Whether a class defines a method itself, or inherits it from a class other than the library's; nothing where a base is unknown.
fn definitions<'a, T>(
    module: &Module,
    statement: &ast::StmtClassDef,
    class: &'a Class,
    library: &'a [(&'a str, T)],
) -> Option<impl Fn(&str) -> bool + 'a> {
    let is_library = move |class: &Class| library.iter().any(|(name, _)| class.is(name));
    let is_known = |class: Class| is_library(&class) || class.mro_is_complete();
    let are_known = statement.bases().iter().all(|base| module.class_reference(base).is_some_and(is_known));
    are_known.then_some(move |name: &str| class.definer(name).is_some_and(|class| !is_library(&class)))
}

/// The methods that a class derived from one without bodies leaves to it.
fn interface(module: &Module, statement: &ast::StmtClassDef, base: &Expr) -> Option<Finding> {
    let (_, parts) = INTERFACES.iter().find(|(name, _)| module.is_symbol(base, name))?;
    let class = module.class(statement)?;
    let defines = definitions(module, statement, &class, INTERFACES)?;
    let methods = || parts.iter().copied().flatten();
    let missing: Vec<String> = methods().filter(|name| !defines(name)).map(|name| (*name).to_string()).collect();
    if missing.is_empty() || missing.len() == methods().count() {
        return None;
    }
    let finding = Finding::new("asyncio/transport-class", base.range());
    Some(
        finding
            .fact("class", Fact::from(statement.name.as_str()))
            .fact("base", Fact::from(module.source(base)))
            .fact("missing", Fact::from(missing)),
    )
}

/// Where the class writes to the transport that its `connection_made` stores.
fn writes(module: &Module, statement: &ast::StmtClassDef) -> Vec<Place> {
    let methods = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
    let Some(made) = methods.clone().find(|method| method.name.as_str() == MADE) else { return vec![] };
    let Some(transport) = made.parameters.iter().nth(1).map(|parameter| parameter.name().as_str()) else {
        return vec![];
    };
    let is_transport = |expr: &Expr| expr.as_name_expr().is_some_and(|name| name.id.as_str() == transport);
    let stored: Vec<&str> = made
        .body
        .iter()
        .filter_map(Stmt::as_assign_stmt)
        .filter(|assign| is_transport(&assign.value))
        .flat_map(|assign| &assign.targets)
        .filter(|target| target.is_attribute_expr())
        .map(|target| module.source(target))
        .collect();
    let writing = methods.flat_map(|method| calls(&all_nodes(&method.body))).filter(|call| {
        method(call).is_some_and(|(receiver, name)| {
            matches!(name, "write" | "writelines") && stored.contains(&module.source(receiver))
        })
    });
    writing.filter_map(|call| module.place(call.range())).collect()
}
