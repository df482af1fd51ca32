//! `q.get(timeout=3)` … `except queue.Empty: break` → `q.get()` … `except queue.ShutDown: break`, and `q.shutdown()` behind
//! the last `put`.

use ruff_python_ast::Expr;

use super::blocks::own_lines;
use super::worker_end::{Producer, Worker};
use super::{Offer, Rewrite, Target};
use crate::text::{Edit, Ranged as _};

pub(super) const REWRITE: Rewrite = Rewrite { name: "end_with_shutdown", offer };

const TITLE: &str = "End the workers by `shutdown()` behind the last item (they no longer idle, nor stop in a pause)";

fn offer(target: &Target) -> Option<Offer> {
    let module = target.site.module;
    if target.oldest_python < (3, 13) {
        return None;
    }
    let worker = Worker::of(target)?;
    let producer = match worker.is_plain(module).and_then(|()| Producer::of(module, &worker)) {
        Ok(producer) => producer,
        Err(reason) => return Offer::refused(TITLE, reason),
    };
    let caught = match worker.handler.type_.as_deref()? {
        Expr::Attribute(attribute) => Edit::replace(attribute.attr.range(), "ShutDown"),
        _ => return Offer::refused(TITLE, "`Empty` is imported by its name"),
    };
    let Some(end) = own_lines(module, producer.end.range()) else {
        return Offer::refused(TITLE, "the last `put` shares its line");
    };
    let indentation = module.lines().indentation(producer.end.start());
    let said = format!("{}{indentation}{}.shutdown()", module.lines().newline(), producer.queue);
    let edits = vec![Edit::replace(worker.get.arguments.range(), "()"), caught, Edit::insert(end.end(), said)];
    Offer::edit(module, TITLE, edits, false)
}
