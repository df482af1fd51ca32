//! What is asked about a file from outside: classes by their statements, and module-level names.

use std::rc::Rc;

use ruff_db::files::File;
use ruff_db::parsed::parsed_module;
use ruff_python_ast::{AnyRootNodeRef, Stmt};

use super::super::database::Db;
use super::super::runtime::DescriptorKind;
use super::c_types::Descriptor;
use super::classes::classify;
use super::index::{BindingKind, NodeNumber, number};
use super::members::own_members;
use super::modules::{Evaluator, module_member};
use super::source::Source;
use super::{ClassRef, Value};

/// Answers questions about one file.
pub(in super::super) struct Inspector<'db> {
    evaluator: Evaluator<'db>,
    source: Rc<Source<'db>>,
}

/// What is known about a class; names in full.
pub(in super::super) struct Class {
    pub metaclass: Option<String>,
    pub mro: Option<Vec<String>>,
    pub has_dict: Option<bool>,
    pub is_weakrefable: Option<bool>,
    pub members: Vec<Member>,
}

/// A name in a class body.
pub(in super::super) struct Member {
    pub name: String,
    /// The statement that binds it last.
    pub node: NodeNumber,
    pub kind: Option<DescriptorKind>,
    pub class: Option<String>,
}

/// Frees the tree of a file.
pub(in super::super) fn forget_tree(db: &dyn Db, file: File) {
    parsed_module(db, db.program_file(file).python_file(db)).clear();
}

impl<'db> Inspector<'db> {
    pub fn new(db: &'db dyn Db, file: File) -> Self {
        let evaluator = Evaluator::new(db);
        let source = evaluator.source(file);
        Self { evaluator, source }
    }

    pub fn node(&self, node: NodeNumber) -> AnyRootNodeRef<'_> {
        self.source.node(node)
    }

    /// The class that a `class` statement makes.
    pub fn class(&self, statement: &Stmt) -> Class {
        let evaluator = &self.evaluator;
        let node = self.source.at(number(statement));
        let facts = classify(evaluator.db, node.file, node.number);
        let class = ClassRef::Source(node);
        let layout = evaluator.layout(&class);
        let names = |order: &Vec<ClassRef>| order.iter().map(|class| evaluator.class_name(class)).collect();
        let members = own_members(evaluator.db, node.file, node.number);
        let describe = |member: super::OwnMember| Member {
            kind: evaluator.descriptor_kind(&member.value).map(public),
            class: evaluator.type_name(&member.value),
            name: member.name,
            node: member.node,
        };
        Class {
            metaclass: facts.metaclass.as_ref().and_then(|class| evaluator.class_name(class)),
            mro: facts.mro.as_ref().and_then(names),
            has_dict: layout.and_then(|layout| layout.has_dict),
            is_weakrefable: layout.and_then(|layout| layout.is_weakrefable),
            members: members.into_iter().map(describe).collect(),
        }
    }

    /// The names that the module binds once, by assignment: name, statement and class of the value.
    pub fn globals(&self) -> Vec<(String, NodeNumber, Option<String>)> {
        let scope = self.source.index.scope(0);
        let mut found = vec![];
        for name in scope.names() {
            let bindings: Vec<_> = scope.bindings_of(name).map(|(_, binding)| binding).collect();
            let [binding] = bindings.as_slice() else { continue };
            if !matches!(binding.kind, BindingKind::Assign { .. }) || self.source.index.is_rebound(name) {
                continue;
            }
            let value = module_member(self.evaluator.db, self.source.file, name.to_string());
            let class = self.evaluator.type_name(&value.unwrap_or(Value::Unknown));
            found.push((name.to_string(), binding.node, class));
        }
        found
    }
}

pub(super) fn public(kind: Descriptor) -> DescriptorKind {
    match kind {
        Descriptor::None => DescriptorKind::None,
        Descriptor::NonData => DescriptorKind::NonData,
        Descriptor::Data => DescriptorKind::Data,
    }
}
