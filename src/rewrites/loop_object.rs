//! An object that waits, made by one call, of which only coroutines of one event loop have a use: what has to be shown before a
//! lock or a queue of threads gives way to asyncio's.

mod one_loop;
mod uses;

use std::collections::BTreeMap;

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, ExprRef};

use super::imports::{drop_members, drop_unused_all, imported_member};
use super::layout::generated;
use super::make_async::Plan;
use super::make_async::call::use_of;
use super::{FileEdits, Offer, Target};
use crate::analysis::{Module, Site, Version};
use crate::detectors::nodes::method;
use crate::detectors::suspension::path_to;
use crate::detectors::threads::is_first_parameter;
use crate::text::{Edit, Place, Ranged as _, TextRange};

/// How many of the things in the way are named.
const BLOCKERS: usize = 6;

/// An object and all its uses.
pub(super) struct LoopObject<'s> {
    /// The files that use it; the first one makes it.
    pub modules: Vec<Module<'s>>,
    /// The call that makes it.
    pub made: TextRange,
    /// The last part of its class's name.
    pub class: String,
    /// What it is bound to, as written.
    pub name: String,
    home: Home,
    pub uses: Vec<Use>,
    /// Annotations that name its class, by file.
    annotations: Vec<(usize, TextRange)>,
    classes: Vec<String>,
    /// What stands in the way.
    blockers: Vec<String>,
    oldest_python: Version,
}

/// What the object is bound to.
enum Home {
    /// A name of the module.
    Module,
    /// A name of the function whose own name stands here.
    Function(TextRange),
    /// An attribute of the objects of a class.
    Attribute(String),
    /// The same, bound in the body of the class.
    Class(String),
}

/// An expression that means the object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    pub file: usize,
    pub range: TextRange,
}

impl<'s> LoopObject<'s> {
    /// The object that a finding is about, if one of `classes` makes it and it has a name; with all its uses. Only if `follows`,
    /// it may be handed to coroutine functions.
    pub fn find(target: &Target<'_, 's>, classes: &[&str], follows: bool) -> Option<Self> {
        let module = target.site.module;
        let made = made(module, target.finding.range)?;
        let class = module.callee(made).filter(|class| class.is_any(classes))?;
        if !module.syntax_errors().is_empty() {
            return None;
        }
        let path = path_to(module, made.range());
        let (node, ancestors) = path.split_last()?;
        let site = Site::at(module, *node, ancestors);
        let (bound, annotation) = match site.parent()? {
            AnyNodeRef::StmtAssign(assign) if assign.targets.len() == 1 => (&assign.targets[0], None),
            AnyNodeRef::StmtAnnAssign(assign) => (&*assign.target, Some(assign.annotation.range())),
            _ => return None,
        };
        let function = site.function();
        let home = match bound {
            Expr::Name(_) => match function {
                Some(def) => Home::Function(def.name.range()),
                None if site.class().is_none() => Home::Module,
                None => Home::Class(module.source(bound).to_string()),
            },
            Expr::Attribute(attribute) => {
                let owner = attribute.value.as_name_expr()?;
                is_first_parameter(function?, owner).then(|| Home::Attribute(attribute.attr.to_string()))?
            }
            _ => return None,
        };
        let mut object = Self {
            modules: vec![module.snapshot().module(module.path()?).ok()?],
            made: made.range(),
            class: class.last().to_string(),
            classes: classes.iter().map(ToString::to_string).collect(),
            name: module.source(bound).to_string(),
            home,
            uses: vec![],
            annotations: annotation.map(|range| (0, range)).into_iter().collect(),
            blockers: vec![],
            oldest_python: target.oldest_python,
        };
        object.collect(bound.range(), follows);
        // Where no coroutine has a use for it, it is an affair of threads.
        object.uses.iter().any(|used| object.coroutine_of(*used).is_some()).then_some(object)
    }

    /// Adds what stands in the way of a single loop, and of a change of class, to the blockers.
    pub fn judge(&mut self) {
        for used in self.uses.clone() {
            if self.coroutine_of(used).is_none() {
                let reason = self.not_in_coroutine(used);
                self.block(reason);
            }
        }
        let outside = !matches!(self.home, Home::Function(def) if self.is_async_def(def));
        if self.oldest_python < (3, 10) && outside {
            let at = self.at(0, self.made);
            let class = if self.class.ends_with("Lock") { "Lock" } else { "Queue" };
            self.block(format!("before Python 3.10 an `asyncio.{class}` belongs to the loop it is made in ({at})"));
        }
        for module in &self.modules {
            if let Some(reason) = generated(module) {
                self.blockers.push(reason);
            }
        }
        if self.blockers.is_empty()
            && let Err(reason) = self.one_loop()
        {
            self.block(reason);
        }
    }

    pub fn block(&mut self, reason: String) {
        if !self.blockers.contains(&reason) {
            self.blockers.push(reason);
        }
    }

    /// Where the class is named, in the call that makes the object and in annotations, with the counterpart's name.
    pub fn renamed_class<'n>(&mut self, counterpart: &'n str) -> Vec<Renamed<'n>> {
        let mut renamed = vec![];
        let mut reasons = vec![];
        for (file, range) in std::iter::once((0, self.made)).chain(self.annotations.iter().copied()) {
            let module = &self.modules[file];
            let path = path_to(module, range);
            let mut named = Named { module, classes: &self.classes, found: vec![] };
            match path.last() {
                Some(AnyNodeRef::ExprCall(call)) => named.visit_expr(&call.func),
                Some(node) => node.visit_source_order(&mut named),
                None => {}
            }
            if let Some(AnyNodeRef::ExprName(_) | AnyNodeRef::ExprAttribute(_)) = path.last()
                && named.found.is_empty()
                && named.is_class(path.last().and_then(|node| node.as_expr_ref()))
            {
                named.found.push(range);
            }
            match named.found.as_slice() {
                [only] => renamed.push((file, *only, counterpart)),
                _ => {
                    let at = self.at(file, range);
                    reasons.push(format!("the annotation `{}` is not understood ({at})", module.source(range)));
                }
            }
        }
        self.blockers.extend(reasons);
        renamed
    }

    /// The edits, or what stands in their way.
    pub fn offer(&self, title: String, edits: BTreeMap<usize, Vec<Edit>>, renamed: &[Renamed]) -> Option<Offer> {
        if let Some(reason) = self.refusal() {
            return Offer::refused(title, reason);
        }
        match self.files(edits, renamed) {
            Ok(files) => Some(Offer::Edit { title, files, preserves_behaviour: false }),
            Err(reason) => Offer::refused(title, reason),
        }
    }

    /// The reason of the refusal, if anything stands in the way.
    fn refusal(&self) -> Option<String> {
        let more = self.blockers.len().saturating_sub(BLOCKERS);
        let mut shown: Vec<String> = self.blockers.iter().take(BLOCKERS).cloned().collect();
        if more > 0 {
            shown.push(format!("and {more} more"));
        }
        (!shown.is_empty()).then(|| shown.join("; "))
    }

    /// `line 12`, or `jobs.py:12` in another file than the one that makes it.
    pub fn at(&self, file: usize, range: TextRange) -> String {
        let module = &self.modules[file];
        let line = module.lines().line(range.start());
        match module.path().filter(|_| file > 0) {
            Some(path) => format!("{}:{line}", path.file_name().unwrap_or_default().to_string_lossy()),
            None => format!("line {line}"),
        }
    }

    /// The nodes from the root of the file to the use.
    pub fn path(&self, used: Use) -> Vec<AnyNodeRef<'_>> {
        path_to(&self.modules[used.file], used.range)
    }

    /// Where the name stands in the `def` of the coroutine function that runs the use.
    fn coroutine_of(&self, used: Use) -> Option<TextRange> {
        let path = self.path(used);
        let (node, ancestors) = path.split_last()?;
        let site = Site::at(&self.modules[used.file], *node, ancestors);
        site.async_function().map(|def| def.name.range())
    }

    fn is_async_def(&self, name: TextRange) -> bool {
        path_to(&self.modules[0], name).iter().any(|node| match node {
            AnyNodeRef::StmtFunctionDef(def) => def.is_async && def.name.range() == name,
            _ => false,
        })
    }

    /// What is done with the object, or with its method, where that is not called: the end of a sentence with its place.
    pub fn misuse(&self, used: Use) -> String {
        let module = &self.modules[used.file];
        let mut path = self.path(used);
        if let [.., outer, AnyNodeRef::ExprAttribute(_), _] = path.as_slice()
            && !matches!(outer, AnyNodeRef::ExprCall(_))
        {
            path.pop();
        }
        let written = path.last().map_or("", |node| module.source(node.range()));
        format!("`{written}` {} ({})", use_of(module, &path), self.at(used.file, used.range))
    }

    /// Whether a coroutine function runs the use.
    pub fn is_in_coroutine(&self, used: Use) -> bool {
        self.coroutine_of(used).is_some()
    }

    fn not_in_coroutine(&self, used: Use) -> String {
        let path = self.path(used);
        let written = self.modules[used.file].source(used.range);
        let at = self.at(used.file, used.range);
        if let [.., AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_), _] = path.as_slice() {
            return self.misuse(used);
        }
        let inner = path.iter().rev().find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(def) => Some(format!("the plain function `{}` uses `{written}`", def.name)),
            AnyNodeRef::ExprLambda(_) => Some(format!("a lambda uses `{written}`")),
            _ => None,
        });
        format!("{} ({at})", inner.unwrap_or_else(|| format!("`{written}` is used outside of any function")))
    }

    /// The number of a file among the modules.
    fn file(&mut self, path: &std::path::Path) -> Option<usize> {
        let known = self.modules.iter().position(|module| module.path() == Some(path));
        if known.is_some() {
            return known;
        }
        let snapshot = self.modules[0].snapshot();
        self.modules.push(snapshot.module(path).ok()?);
        Some(self.modules.len() - 1)
    }

    fn place(&self, file: usize, range: TextRange) -> Option<Place> {
        self.modules[file].place(range)
    }

    /// A plan to ask for families of methods with.
    fn plan(&self) -> Plan<'s> {
        Plan::new(self.modules[0].snapshot(), self.oldest_python)
    }

    /// The edits of all files: those of the uses, and the renamed expressions.
    ///
    /// # Errors
    /// The reason of a refusal.
    fn files(&self, mut edits: BTreeMap<usize, Vec<Edit>>, renamed: &[Renamed]) -> Result<Vec<FileEdits>, String> {
        let mut gone: BTreeMap<usize, Vec<TextRange>> = BTreeMap::new();
        for (file, range, member) in renamed {
            let module = &self.modules[*file];
            let own = edits.entry(*file).or_default();
            if *member == "TimeoutError" {
                own.push(Edit::replace(*range, *member));
            } else {
                let path = path_to(module, *range);
                let Some((node, ancestors)) = path.split_last() else { continue };
                let site = Site::at(module, *node, ancestors);
                let class = imported_member(&site, "asyncio", member)?;
                own.push(Edit::replace(*range, class.name));
                own.extend(class.edit.filter(|edit| !own.contains(edit)));
            }
            gone.entry(*file).or_default().push(*range);
        }
        for (file, ranges) in &gone {
            let module = &self.modules[*file];
            let mut roots: Vec<&str> = ranges.iter().filter_map(|range| root(module.source(*range))).collect();
            roots.sort_unstable();
            roots.dedup();
            let own = edits.entry(*file).or_default();
            own.extend(drop_members(module, ranges));
            own.extend(roots.iter().filter_map(|root| drop_unused_all(module, root, ranges)));
        }
        let mut files = vec![];
        for (file, edits) in edits {
            let path = self.modules[file].path().ok_or("this is no file")?.to_path_buf();
            files.push(FileEdits { path, edits });
        }
        Ok(files)
    }
}

/// An expression in a file, with the member of `asyncio` that stands there from now on.
pub(super) type Renamed<'n> = (usize, TextRange, &'n str);

/// The names of the object's class in an expression.
struct Named<'m, 's> {
    module: &'m Module<'s>,
    classes: &'m [String],
    found: Vec<TextRange>,
}

impl Named<'_, '_> {
    fn is_class(&self, expr: Option<ExprRef>) -> bool {
        let symbol = expr.and_then(|expr| self.module.symbol(expr));
        symbol.is_some_and(|symbol| self.classes.iter().any(|class| symbol.is(class)))
    }
}

impl<'a> SourceOrderVisitor<'a> for Named<'_, '_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if matches!(expr, Expr::Name(_) | Expr::Attribute(_)) && self.is_class(Some(expr.into())) {
            self.found.push(expr.range());
        } else {
            walk_expr(self, expr);
        }
    }
}

/// The first name of `queue.Queue`.
fn root(written: &str) -> Option<&str> {
    written.split(['.', '[', '(']).next().map(str::trim)
}

/// The call that makes the object which the code at `range` makes or uses.
fn made<'m>(module: &'m Module, range: TextRange) -> Option<&'m ast::ExprCall> {
    let path = path_to(module, range);
    let used = path.iter().rev().find_map(|node| match node {
        AnyNodeRef::ExprCall(call) if call.func.range() == range || call.range() == range => {
            match method(call).filter(|(receiver, _)| !module.origins(receiver).is_empty()) {
                Some((receiver, _)) => Some(receiver),
                None => Some(&*call.func),
            }
        }
        AnyNodeRef::ExprAttribute(attribute) if attribute.value.range() == range => Some(&*attribute.value),
        AnyNodeRef::StmtWith(with) => {
            with.items.iter().map(|item| &item.context_expr).find(|manager| manager.range() == range)
        }
        _ => None,
    })?;
    let creation = path.iter().find_map(|node| match node {
        AnyNodeRef::ExprCall(call) if call.func.range() == used.range() => Some(*call),
        _ => None,
    });
    match (creation, module.origins(used).as_slice()) {
        (Some(call), _) if module.class_reference(&call.func).is_some() => Some(call),
        (_, [Expr::Call(made)]) => Some(made),
        (_, []) => uses::made_in_class(module, used.as_attribute_expr()?),
        _ => None,
    }
}
