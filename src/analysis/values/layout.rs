//! What instances of a class carry: a `__dict__`, a place for weak references.
//!
//! The rules are those of `type_new` in Objects/typeobject.c.

use ruff_db::files::File;
use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::Ranged as _;

use super::super::database::Db;
use super::classes::classify;
use super::decorators::ClassDecorator;
use super::index::{BindingKind, NodeNumber};
use super::modules::{Context, Evaluator, is_compiled};
use super::{ClassRef, Node, Value};

/// What an instance carries; none where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    pub has_dict: Option<bool>,
    pub is_weakrefable: Option<bool>,
    /// Instances vary in size, so a class that derives from this one adds no room for weak references without `__slots__`,
    /// and may not with them.
    pub is_variable: bool,
    /// No class may derive from this one.
    pub is_final: bool,
    /// A base is not known; instances may vary in size.
    pub is_open: bool,
}

/// The layout of the instances of the class at a node.
#[salsa::tracked(returns(copy), cycle_initial = unknown_layout)]
fn layout_of(db: &dyn Db, file: File, node: NodeNumber) -> Option<Layout> {
    Evaluator::new(db).source_layout(Node { file, number: node })
}

/// A class that is among its own bases has none.
fn unknown_layout(_db: &dyn Db, _id: salsa::Id, _file: File, _node: NodeNumber) -> Option<Layout> {
    None
}

impl<'db> Evaluator<'db> {
    /// The layout of a class's instances.
    pub fn layout(&self, class: &ClassRef) -> Option<Layout> {
        match class {
            ClassRef::C(name) => {
                let facts = self.db.knowledge().c_types.facts(name)?;
                Some(Layout {
                    has_dict: Some(facts.has_dict),
                    is_weakrefable: Some(facts.is_weakrefable),
                    is_variable: facts.is_variable,
                    is_final: facts.is_final,
                    is_open: false,
                })
            }
            ClassRef::Made(made) => self.derived(&made.bases, Some(made.slots.clone()), false),
            ClassRef::Source(node) => layout_of(self.db, node.file, node.number),
        }
    }

    fn source_layout(&self, node: Node) -> Option<Layout> {
        if self.is_deep {
            return None;
        }
        let facts = classify(self.db, node.file, node.number);
        if facts.is_no_class {
            return None;
        }
        let Some(bases) = facts.bases.clone() else { return self.layout_over_unknown(node) };
        let context = self.module_context(node.file);
        if self.is_extension_type(node) {
            // An extension type of Cython has what its body declares.
            let source = self.source(node.file);
            let scope = source.index.scope(source.index.scope_of(node.number)?);
            let declared = ["__dict__", "__weakref__"].into_iter().filter(|name| scope.binds(name));
            let slots = declared.map(str::to_string).collect();
            return self.derived(&bases, Some(Some(slots)), false);
        }
        let mut slots = match &facts.slots {
            Some(slots) => Some(Some(slots.clone())),
            None => self.slots_of(node),
        };
        if slots.as_ref().is_none_or(Option::is_none) && self.metaclass_sets_slots(&ClassRef::Source(node)) {
            slots = None;
        }
        let mut adds_weakref = false;
        for decorator in self.class_decorators(&context, node) {
            match decorator {
                ClassDecorator::Dataclass { slots: true, weakref_slot } => {
                    slots = Some(Some(vec![]));
                    adds_weakref |= weakref_slot;
                }
                ClassDecorator::Attrs { slots: true, .. } => {
                    slots = Some(Some(slots.flatten().unwrap_or_default()));
                    adds_weakref = true;
                }
                ClassDecorator::OpenDataclass => slots = None,
                _ => {}
            }
        }
        self.derived(&bases, slots, adds_weakref)
    }

    /// A class without `__slots__` gives its instances a `__dict__`, whatever its bases.
    fn layout_over_unknown(&self, node: Node) -> Option<Layout> {
        let is_plain = self.slots_of(node) == Some(None)
            && !self.metaclass_sets_slots(&ClassRef::Source(node))
            && !is_compiled(self.db, node.file)
            && self.source(node.file).class(node.number)?.decorator_list.is_empty();
        is_plain.then(|| Layout { has_dict: Some(true), is_open: true, ..Layout::default() })
    }

    fn derived(&self, bases: &[ClassRef], slots: Option<Option<Vec<String>>>, adds_weakref: bool) -> Option<Layout> {
        let layouts: Option<Vec<Layout>> = bases.iter().map(|base| self.layout(base)).collect();
        let layouts = layouts?;
        let any = |part: fn(&Layout) -> Option<bool>| {
            let mut result = Some(false);
            for layout in &layouts {
                match part(layout) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => result = None,
                }
            }
            result
        };
        let is_open = layouts.iter().any(|layout| layout.is_open);
        let variable = layouts.iter().find(|layout| layout.is_variable);
        let is_variable = variable.is_some();
        let or = |inherited: Option<bool>, own: Option<bool>| match (inherited, own) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
        let (own_dict, own_weakref) = match &slots {
            None => (None, None),
            Some(None) => (Some(true), Some(true)),
            Some(Some(slots)) => {
                let has = |name: &str| Some(slots.iter().any(|slot| slot == name));
                (has("__dict__"), has("__weakref__").map(|has| has || adds_weakref))
            }
        };
        let is_weakrefable = match (variable, &slots) {
            // The place would come behind the part that varies: the base that varies decides alone.
            (Some(base), Some(None)) => base.is_weakrefable,
            (None, Some(None)) if is_open => None,
            _ => or(any(|layout| layout.is_weakrefable), own_weakref),
        };
        let has_dict = or(any(|layout| layout.has_dict), own_dict);
        Some(Layout { has_dict, is_weakrefable, is_variable, is_final: false, is_open })
    }

    /// Whether a class of a compiled module is marked as an extension type, with `@cython.cclass`.
    fn is_extension_type(&self, node: Node) -> bool {
        let source = self.source(node.file);
        let is_cclass = |decorator: &ruff_python_ast::Decorator| {
            decorator.expression.as_attribute_expr().is_some_and(|name| name.attr.as_str() == "cclass")
        };
        is_compiled(self.db, node.file)
            && source.class(node.number).is_some_and(|class| class.decorator_list.iter().any(is_cclass))
    }

    /// The `__slots__` of a class statement: none if they cannot be read, `Some(None)` if there are none.
    pub fn slots_of(&self, node: Node) -> Option<Option<Vec<String>>> {
        let source = self.source(node.file);
        let Some(scope) = source.index.scope_of(node.number) else { return Some(None) };
        let context = Context { source: source.clone(), scope, frame: None, at: None };
        if !source.index.scope(scope).binds("__slots__") {
            return Some(None);
        }
        let reached = self.reach(&context, scope, "__slots__", None);
        let [number] = reached.bindings.as_slice() else {
            return if reached.bindings.is_empty() { Some(None) } else { None };
        };
        let binding = &source.index.scope(scope).bindings[*number];
        let BindingKind::Assign { value, .. } = &binding.kind else { return None };
        let expr = source.expression(*value)?;
        let here = Context { at: Some(expr.start()), ..context };
        self.strings(&here, expr).map(Some)
    }

    /// The strings in a literal or a known tuple.
    fn strings(&self, context: &Context<'db>, expr: &Expr) -> Option<Vec<String>> {
        let text = |value: &Value| match value {
            Value::Str(text) => Some(text.to_string()),
            _ => None,
        };
        let items = match expr {
            Expr::List(list) => &list.elts,
            Expr::Set(set) => &set.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            Expr::Dict(dict) => {
                return dict.items.iter().map(|item| text(&self.evaluate(context, item.key.as_ref()?))).collect();
            }
            other => {
                return match self.evaluate(context, other) {
                    Value::Str(text) => Some(vec![text.to_string()]),
                    Value::Tuple(items) => items.iter().map(text).collect(),
                    _ => None,
                };
            }
        };
        items.iter().map(|item| text(&self.evaluate(context, item))).collect()
    }

    /// Whether the metaclass puts `__slots__` into the namespace.
    fn metaclass_sets_slots(&self, class: &ClassRef) -> bool {
        let Some(order) = self.metaclass(class).and_then(|metaclass| self.mro(&metaclass)) else { return true };
        order.iter().any(|class| {
            let ClassRef::Source(node) = class else { return false };
            let source = self.source(node.file);
            let Some(statement) = source.class(node.number) else { return false };
            let name = self.class_name(class);
            let is_typing = name.is_some_and(|name| name.starts_with("typing") || name.starts_with("enum."));
            let defs = statement.body.iter().filter_map(Stmt::as_function_def_stmt);
            !is_typing && defs.filter(|def| def.name.as_str() == "__new__").any(|def| sets_slots(&def.body))
        })
    }
}

fn sets_slots(body: &[Stmt]) -> bool {
    use ruff_python_ast::AnyNodeRef;
    use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
    struct Finder(bool);
    impl<'a> SourceOrderVisitor<'a> for Finder {
        fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
            let is_key = |expr: &Expr| {
                expr.as_string_literal_expr().is_some_and(|literal| literal.value.to_str() == "__slots__")
            };
            self.0 |= match node {
                AnyNodeRef::ExprSubscript(item) => item.ctx.is_store() && is_key(&item.slice),
                AnyNodeRef::ExprCall(call) => {
                    let method = call.func.as_attribute_expr().map(|function| function.attr.as_str());
                    method == Some("setdefault") && call.arguments.args.first().is_some_and(is_key)
                }
                _ => false,
            };
            TraversalSignal::Traverse
        }
    }
    let mut finder = Finder(false);
    finder.visit_body(body);
    finder.0
}
