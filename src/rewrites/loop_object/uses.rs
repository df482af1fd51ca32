//! Every expression of the workspace that means the object.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Stmt, StringLiteral};

use super::{Home, LoopObject, Use};
use crate::analysis::{Class, Module, Origin, ReferenceKind};
use crate::detectors::nodes::method;
use crate::detectors::suspension::path_to;
use crate::rewrites::imports::Names;
use crate::rewrites::make_async::{call, checks, def_named_at};
use crate::text::{Place, Ranged as _, TextRange};

/// A parameter that the object is passed for.
#[derive(Clone, PartialEq, Eq)]
struct Passed {
    function: Place,
    name: String,
    parameter: String,
    position: Option<usize>,
}

impl LoopObject<'_> {
    /// Collects the uses of what is bound at `bound`.
    pub(super) fn collect(&mut self, bound: TextRange, follows: bool) {
        match &self.home {
            Home::Module => {
                let name = self.name.clone();
                self.names(0, None, &name, Some(bound));
                self.elsewhere(&name);
            }
            Home::Function(def) => {
                let (def, name) = (*def, self.name.clone());
                self.names(0, Some(def), &name, Some(bound));
            }
            Home::Attribute(attribute) | Home::Class(attribute) => {
                let attribute = attribute.clone();
                self.body_of_class(&attribute, bound);
                self.attributes(&attribute, bound);
            }
        }
        if follows {
            self.follow_arguments();
        }
    }

    /// The reads of a name in a function, or in the whole file.
    fn names(&mut self, file: usize, function: Option<TextRange>, name: &str, bound: Option<TextRange>) {
        let module = &self.modules[file];
        let body = match function {
            None => &module.syntax().body,
            Some(range) => match def_named_at(module, range) {
                Some(def) => &def.body,
                None => return,
            },
        };
        let names = Names::in_body(name, body);
        let again: Vec<TextRange> = names.bindings.into_iter().filter(|at| Some(*at) != bound).collect();
        let reads = names.reads;
        self.uses.extend(reads.into_iter().map(|range| Use { file, range }));
        for at in again {
            let at = self.at(file, at);
            self.block(format!("`{name}` is bound again in {at}"));
        }
    }

    /// The reads of a name in the body of the class that binds it there.
    fn body_of_class(&mut self, name: &str, bound: TextRange) {
        let module = &self.modules[0];
        let Some(class) = class_that_binds(&self.home, module, bound) else { return };
        let mut body = InClass { name, bound, reads: vec![], again: vec![] };
        body.visit_body(&class.body);
        let (reads, again) = (body.reads, body.again);
        self.uses.extend(reads.into_iter().map(|range| Use { file: 0, range }));
        for at in again {
            let at = self.at(0, at);
            self.block(format!("`{name}` is bound again in {at}"));
        }
    }

    /// Blocks where another file may use a name of this module.
    fn elsewhere(&mut self, name: &str) {
        let module = &self.modules[0];
        if let Some((file, line)) = module.snapshot().mentioned_elsewhere(&[name], module.path()) {
            self.block(format!("`{name}` may be used in another file ({file}:{line})"));
        }
    }

    /// The reads of an attribute in all files.
    fn attributes(&mut self, attribute: &str, bound: TextRange) {
        let module = &self.modules[0];
        let class = match class_that_binds(&self.home, module, bound) {
            Some(statement) => module.class(statement),
            None => module.enclosing_class(path_to(module, bound).last().copied().unwrap_or(module.syntax().into())),
        };
        let Some(class) = class else {
            return self.block(format!("the class of `{}` is not known", self.name));
        };
        let subclasses = module.snapshot().subclasses(&class).unwrap_or_default();
        if let Some(again) = subclasses.iter().find(|subclass| subclass.binds(attribute)) {
            let name = again.name();
            self.block(format!("`{name}` binds `{attribute}` again"));
        }
        let module = &self.modules[0];
        let Some(files) = module.snapshot().files_with_word(attribute) else {
            return self.block("the workspace has too many files to look through".to_string());
        };
        for path in files {
            let Some(file) = self.file(&path) else { continue };
            let mut mentions = Mentions { attribute, attributes: vec![], strings: vec![] };
            mentions.visit_body(&self.modules[file].syntax().body);
            let module = &self.modules[file];
            let judged: Vec<(TextRange, Meaning)> = mentions
                .attributes
                .iter()
                .map(|found| (found.range(), meaning(module, found, &class, bound)))
                .collect();
            let strings: Vec<TextRange> = mentions.strings;
            for (range, meaning) in judged {
                let at = self.at(file, range);
                match meaning {
                    Meaning::Object => self.uses.push(Use { file, range }),
                    Meaning::Binding | Meaning::Other => {}
                    Meaning::Rebound => self.block(format!("`{}` is bound again in {at}", self.name)),
                    Meaning::Unknown => {
                        let written = self.modules[file].source(range).to_string();
                        self.block(format!("`{written}` may mean the same ({at})"));
                    }
                }
            }
            for range in strings {
                let at = self.at(file, range);
                self.block(format!("`{attribute}` is looked up by its name ({at})"));
            }
        }
        self.drop_unused_files();
    }

    /// Forgets the files at the end of the list in which there is no use.
    fn drop_unused_files(&mut self) {
        while let Some(last) = self.modules.len().checked_sub(1).filter(|last| *last > 0) {
            if self.uses.iter().any(|used| used.file == last) {
                break;
            }
            self.modules.pop();
        }
    }

    /// Follows the object into the coroutine functions that it is passed to.
    fn follow_arguments(&mut self) {
        let mut passed: Vec<Passed> = vec![];
        let mut index = 0;
        while let Some(used) = self.uses.get(index).copied() {
            index += 1;
            let Some(to) = self.passed_to(used) else { continue };
            if passed.contains(&to) {
                continue;
            }
            let Some(file) = self.file(&to.function.path) else { continue };
            self.parameter(file, &to);
            passed.push(to);
        }
        for to in passed {
            if let Err(reason) = self.gets_nothing_else(&to) {
                self.block(reason);
            }
        }
    }

    /// The parameter of a coroutine function that a use is the argument for.
    fn passed_to(&self, used: Use) -> Option<Passed> {
        let module = &self.modules[used.file];
        let path = self.path(used);
        let (call, keyword) = match path.as_slice() {
            [.., AnyNodeRef::ExprCall(call), AnyNodeRef::Arguments(_), _] => (call, None),
            [.., AnyNodeRef::ExprCall(call), AnyNodeRef::Arguments(_), AnyNodeRef::Keyword(keyword), _] => {
                (call, Some(keyword.arg.as_ref()?.to_string()))
            }
            _ => return None,
        };
        let function = module.called_function(call)?;
        if !function.is_async || function.is_decorated || call.arguments.args.iter().any(Expr::is_starred_expr) {
            return None;
        }
        let place = function.place?;
        let home = module.snapshot().module(&place.path).ok()?;
        let def = def_named_at(&home, place.range())?;
        let is_method = home.enclosing_class(AnyNodeRef::from(&def.name)).is_some();
        let skipped = usize::from(is_method && method(call).is_some());
        let positions: Vec<&str> =
            def.parameters.posonlyargs.iter().chain(&def.parameters.args).map(|item| item.name().as_str()).collect();
        let parameter = match keyword {
            Some(keyword) => keyword,
            None => {
                let at = call.arguments.args.iter().position(|argument| argument.range() == used.range)?;
                (*positions.get(at + skipped)?).to_string()
            }
        };
        let all = def.parameters.iter_non_variadic_params();
        if !all.into_iter().any(|item| item.name().as_str() == parameter) {
            return None;
        }
        let position = positions.iter().position(|name| *name == parameter).and_then(|at| at.checked_sub(skipped));
        Some(Passed { function: place, name: function.name, parameter, position })
    }

    /// Whether a use is an argument that was followed.
    pub fn is_followed(&self, used: Use) -> bool {
        self.passed_to(used).is_some()
    }

    fn parameter(&mut self, file: usize, to: &Passed) {
        let range = to.function.range();
        let Some(def) = def_named_at(&self.modules[file], range) else { return };
        let is_it = |item: &&ast::ParameterWithDefault| item.name().as_str() == to.parameter;
        let item = def.parameters.iter_non_variadic_params().find(is_it);
        let annotation = item.and_then(|item| item.annotation()).map(|annotation| (file, annotation.range()));
        self.annotations.extend(annotation);
        self.names(file, Some(range), &to.parameter, None);
    }

    /// Whether each call of a function passes this object for a parameter.
    fn gets_nothing_else(&mut self, to: &Passed) -> Result<(), String> {
        let mut plan = self.plan();
        let family = checks::family(&mut plan, &to.function, &to.name);
        if family.len() > 1 {
            return Err(format!("`{}` is overridden ({})", to.name, plan.at(&family[1])));
        }
        let snapshot = self.modules[0].snapshot();
        let references = snapshot.references(&to.name, &family).map_err(|reason| reason.reason(&to.name))?;
        for reference in references.iter().filter(|reference| reference.kind != ReferenceKind::Import) {
            let other = || format!("`{}` may get another object ({})", to.name, plan.at(&reference.place));
            if reference.kind != ReferenceKind::Value {
                return Err(other());
            }
            let file = self.file(&reference.place.path).ok_or_else(other)?;
            let module = &self.modules[file];
            let path = path_to(module, reference.place.range());
            let Some(AnyNodeRef::ExprCall(called)) = call::of(module, &path).map(|site| site.node) else {
                return Err(format!("`{}` {} ({})", to.name, call::use_of(module, &path), plan.at(&reference.place)));
            };
            let keyword = called.arguments.find_keyword(&to.parameter).map(|keyword| &keyword.value);
            let argument = keyword.or_else(|| called.arguments.args.get(to.position?)).ok_or_else(other)?;
            let used = Use { file, range: argument.range() };
            if !self.uses.contains(&used) {
                return Err(other());
            }
        }
        Ok(())
    }
}

pub(super) fn too_large() -> String {
    "the workspace is too large to look through".to_string()
}

/// What an attribute of the same name is.
enum Meaning {
    Object,
    /// The statement that makes it.
    Binding,
    Rebound,
    Other,
    Unknown,
}

fn meaning(module: &Module, found: &ast::ExprAttribute, class: &Class, bound: TextRange) -> Meaning {
    let is_load = found.ctx.is_load();
    match module.class_of(&*found.value).or_else(|| module.class_reference(&found.value)) {
        Some(owner) if owner.is_subclass_of(class) => match is_load {
            true => Meaning::Object,
            false if found.range() == bound && module.path() == class.place().as_ref().map(|place| &*place.path) => {
                Meaning::Binding
            }
            false => Meaning::Rebound,
        },
        Some(owner) if !class.is_subclass_of(&owner) && owner.mro_is_complete() => Meaning::Other,
        Some(_) => Meaning::Unknown,
        None => {
            let is_foreign =
                |symbol: crate::analysis::Symbol| !matches!(symbol.origin, Origin::Project | Origin::Unresolved);
            let is_other =
                module.class_name(&found.value).is_some_and(is_foreign) || module.symbol(found).is_some_and(is_foreign);
            if is_other { Meaning::Other } else { Meaning::Unknown }
        }
    }
}

/// The class whose body binds the object.
fn class_that_binds<'m>(home: &Home, module: &'m Module, bound: TextRange) -> Option<&'m ast::StmtClassDef> {
    path_to(module, bound).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtClassDef(class) if matches!(home, Home::Class(_)) => Some(class),
        _ => None,
    })
}

/// The call in the body of a class of this file that makes what an attribute of its objects, or of itself, is.
pub(super) fn made_in_class<'m>(module: &'m Module, attribute: &ast::ExprAttribute) -> Option<&'m ast::ExprCall> {
    let name = attribute.attr.as_str();
    let owner = module.class_of(&*attribute.value).or_else(|| module.class_reference(&attribute.value))?;
    let place = owner.definer(name)?.place().filter(|place| module.path() == Some(place.path.as_path()))?;
    let class = path_to(module, place.range()).into_iter().rev().find_map(|node| match node {
        AnyNodeRef::StmtClassDef(class) if class.name.range() == place.range() => Some(class),
        _ => None,
    })?;
    let is_it = |target: &Expr| target.as_name_expr().is_some_and(|target| target.id == name);
    class.body.iter().find_map(|statement| match statement {
        Stmt::Assign(assign) if assign.targets.iter().any(is_it) => assign.value.as_call_expr(),
        Stmt::AnnAssign(assign) if is_it(&assign.target) => assign.value.as_deref()?.as_call_expr(),
        _ => None,
    })
}

/// The reads and the other bindings of a name in a class body, its methods left out.
struct InClass<'n> {
    name: &'n str,
    bound: TextRange,
    reads: Vec<TextRange>,
    again: Vec<TextRange>,
}

impl<'a> SourceOrderVisitor<'a> for InClass<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::ExprName(found) if found.id == self.name => match found.ctx.is_load() {
                true => self.reads.push(found.range()),
                false if found.range() != self.bound => self.again.push(found.range()),
                false => {}
            },
            AnyNodeRef::StmtFunctionDef(_) | AnyNodeRef::StmtClassDef(_) | AnyNodeRef::ExprLambda(_) => {
                return TraversalSignal::Skip;
            }
            _ => {}
        }
        TraversalSignal::Traverse
    }
}

/// The attributes of a name in a file, and the strings that may name it.
struct Mentions<'a, 'n> {
    attribute: &'n str,
    attributes: Vec<&'a ast::ExprAttribute>,
    strings: Vec<TextRange>,
}

impl<'a> SourceOrderVisitor<'a> for Mentions<'a, '_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        match node {
            AnyNodeRef::ExprAttribute(found) if found.attr.as_str() == self.attribute => self.attributes.push(found),
            AnyNodeRef::StringLiteral(StringLiteral { value, range, .. }) if **value == *self.attribute => {
                self.strings.push(*range);
            }
            _ => {}
        }
        TraversalSignal::Traverse
    }
}
