//! What a change of the protocol files would break.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use prost::{DecodeError, Message};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    MethodDescriptorProto,
};

/// Why descriptors cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("these bytes are no descriptors of protocol files: {0}")]
pub struct ProtocolError(#[from] DecodeError);

/// Protocol files, as their descriptors tell them: everything by its full name.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    packages: BTreeSet<String>,
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
    /// Services with their calls.
    services: BTreeMap<String, BTreeMap<String, MethodDescriptorProto>>,
}

impl Protocol {
    /// Reads an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    /// [`ProtocolError`] if it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProtocolError> {
        Ok(Self::of(&FileDescriptorSet::decode(bytes)?))
    }

    /// What these files hold.
    pub fn of(files: &FileDescriptorSet) -> Self {
        let mut protocol = Self {
            packages: BTreeSet::new(),
            messages: BTreeMap::new(),
            enums: BTreeMap::new(),
            services: BTreeMap::new(),
        };
        for file in &files.file {
            let package = file.package();
            protocol.packages.insert(package.to_owned());
            for message in &file.message_type {
                protocol.add_message(package, message);
            }
            for one in &file.enum_type {
                protocol.add_enum(package, one);
            }
            for service in &file.service {
                let calls = service.method.iter();
                let calls = calls.map(|call| (call.name().to_owned(), call.clone()));
                let name = full(package, service.name());
                protocol.services.insert(name, calls.collect());
            }
        }
        protocol
    }

    /// How many messages, enums and services there are.
    pub fn len(&self) -> usize {
        self.messages.len() + self.enums.len() + self.services.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What programs built from this protocol rely on and do not find in `newer`, a sentence each.
    ///
    /// A field or an enum's value may go if its number and its name are reserved from then on; what was
    /// reserved stays so. All else that was there stays what it was. What is added breaks nothing.
    pub fn broken_by(&self, newer: &Self) -> Vec<String> {
        let mut faults = Faults::default();
        for package in self.packages.difference(&newer.packages) {
            faults.say(package, "the package is gone");
        }
        for (name, old) in &self.messages {
            match newer.messages.get(name) {
                Some(new) => message(&mut faults, name, old, new),
                None => faults.say(name, "the message is gone"),
            }
        }
        for (name, old) in &self.enums {
            match newer.enums.get(name) {
                Some(new) => values(&mut faults, name, old, new),
                None => faults.say(name, "the enum is gone"),
            }
        }
        for (name, old) in &self.services {
            match newer.services.get(name) {
                Some(new) => calls(&mut faults, name, old, new),
                None => faults.say(name, "the service is gone"),
            }
        }
        faults.0
    }

    fn add_message(&mut self, within: &str, message: &DescriptorProto) {
        let name = full(within, message.name());
        for inner in &message.nested_type {
            self.add_message(&name, inner);
        }
        for one in &message.enum_type {
            self.add_enum(&name, one);
        }
        self.messages.insert(name, message.clone());
    }

    fn add_enum(&mut self, within: &str, one: &EnumDescriptorProto) {
        self.enums.insert(full(within, one.name()), one.clone());
    }
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn say(&mut self, of: &str, what: impl Display) {
        self.0.push(format!("{of}: {what}"));
    }
}

fn full(within: &str, name: &str) -> String {
    format!("{within}.{name}")
}

fn message(faults: &mut Faults, name: &str, old: &DescriptorProto, new: &DescriptorProto) {
    for was in &old.field {
        let (number, called) = (was.number(), was.name());
        match new.field.iter().find(|field| field.number() == number) {
            Some(is) => field(faults, name, (old, was), (new, is)),
            None if is_reserved(new, number) && has(&new.reserved_name, called) => {}
            None => faults.say(
                name,
                format!(
                    "field {number}, \"{called}\", is gone; reserve both its number and its name"
                ),
            ),
        }
    }
    // The end of a message's range is not in it.
    for range in &old.reserved_range {
        for number in range.start()..range.end() {
            if !is_reserved(new, number) {
                faults.say(name, format!("number {number} is not reserved any more"));
            }
        }
    }
    for gone in names_gone(&old.reserved_name, &new.reserved_name) {
        faults.say(name, format!("name \"{gone}\" is not reserved any more"));
    }
}

fn field(
    faults: &mut Faults,
    name: &str,
    (old, was): (&DescriptorProto, &FieldDescriptorProto),
    (new, is): (&DescriptorProto, &FieldDescriptorProto),
) {
    let mut changed = |what: &str, was: String, is: String| {
        if was != is {
            let number = old_number(is.as_str(), &was);
            faults.say(name, format!("{what} {number}"));
        }
    };
    let of = format!("field {}", was.number());
    changed(
        &format!("the name of {of}"),
        was.name().to_owned(),
        is.name().to_owned(),
    );
    changed(
        &format!("the JSON name of {of}"),
        was.json_name().to_owned(),
        is.json_name().to_owned(),
    );
    changed(&format!("the type of {of}"), typed(was), typed(is));
    changed(&format!("the label of {of}"), label(was), label(is));
    changed(
        &format!("the oneof of {of}"),
        one_of(old, was),
        one_of(new, is),
    );
}

fn old_number(is: &str, was: &str) -> String {
    format!("was {was} and is {is}")
}

/// The type, with the name of a message's or enum's.
fn typed(field: &FieldDescriptorProto) -> String {
    let is = field.r#type();
    if matches!(is, Type::Message | Type::Enum | Type::Group) {
        field.type_name().trim_start_matches('.').to_owned()
    } else {
        is.as_str_name().to_owned()
    }
}

/// Whether a field is repeated, optional in so many words, or neither.
fn label(field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Repeated => "repeated",
        Label::Required => "required",
        Label::Optional if field.proto3_optional() => "optional",
        Label::Optional => "single",
    };
    label.to_owned()
}

fn one_of(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    // An optional field has a oneof of its own, which nobody wrote.
    let index = field.oneof_index.filter(|_| !field.proto3_optional());
    let index = index.and_then(|index| usize::try_from(index).ok());
    let found = index.and_then(|index| message.oneof_decl.get(index));
    found.map_or("none", |found| found.name()).to_owned()
}

fn is_reserved(message: &DescriptorProto, number: i32) -> bool {
    let mut ranges = message.reserved_range.iter();
    ranges.any(|range| (range.start()..range.end()).contains(&number))
}

fn values(faults: &mut Faults, name: &str, old: &EnumDescriptorProto, new: &EnumDescriptorProto) {
    for was in &old.value {
        let (number, called) = (was.number(), was.name());
        let mut here = new.value.iter().filter(|value| value.number() == number);
        if here.clone().any(|value| value.name() == called) {
            continue;
        }
        match here.next() {
            Some(is) => faults.say(
                name,
                format!("value {number} was {called} and is {}", is.name()),
            ),
            None if is_reserved_value(new, number) && has(&new.reserved_name, called) => {}
            None => faults.say(
                name,
                format!("value {number}, {called}, is gone; reserve both its number and its name"),
            ),
        }
    }
    for range in &old.reserved_range {
        for number in range.start()..=range.end() {
            if !is_reserved_value(new, number) {
                faults.say(name, format!("number {number} is not reserved any more"));
            }
        }
    }
    for gone in names_gone(&old.reserved_name, &new.reserved_name) {
        faults.say(name, format!("name \"{gone}\" is not reserved any more"));
    }
}

/// The end of an enum's range is in it.
fn is_reserved_value(one: &EnumDescriptorProto, number: i32) -> bool {
    let mut ranges = one.reserved_range.iter();
    ranges.any(|range| (range.start()..=range.end()).contains(&number))
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|one| one == name)
}

fn names_gone<'a>(old: &'a [String], new: &'a [String]) -> impl Iterator<Item = &'a String> {
    old.iter().filter(|name| !has(new, name))
}

fn calls(
    faults: &mut Faults,
    name: &str,
    old: &BTreeMap<String, MethodDescriptorProto>,
    new: &BTreeMap<String, MethodDescriptorProto>,
) {
    for (call, was) in old {
        let Some(is) = new.get(call) else {
            faults.say(name, format!("the call {call} is gone"));
            continue;
        };
        let ends = |it: &MethodDescriptorProto| {
            let end = |streams: bool, of: &str| {
                let of = of.trim_start_matches('.');
                if streams {
                    format!("a stream of {of}")
                } else {
                    of.to_owned()
                }
            };
            [
                ("request", end(it.client_streaming(), it.input_type())),
                ("response", end(it.server_streaming(), it.output_type())),
            ]
        };
        for ((what, was), (_, is)) in ends(was).into_iter().zip(ends(is)) {
            if was != is {
                faults.say(
                    name,
                    format!("the {what} of {call} {}", old_number(&is, &was)),
                );
            }
        }
    }
}
