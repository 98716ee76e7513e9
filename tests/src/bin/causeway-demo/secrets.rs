//! Words planted in what must never leave a hub, and control words in what is shared.
//!
//! All people and schools here are made up.

/// What is planted at one hub.
#[derive(Debug)]
pub(crate) struct Planted {
    /// A person, kept as a card at this hub alone.
    pub(crate) person: &'static str,
    /// That person's address.
    pub(crate) email: &'static str,
    /// In the notes of a work group, which the hub keeps to itself.
    pub(crate) note: &'static str,
    /// In a record that every hub may read.
    pub(crate) control: &'static str,
}

/// What is planted, by hub.
pub(crate) const PLANTED: [Planted; 3] = [
    Planted {
        person: "Philippa Quillfeather",
        email: "p.quillfeather@demo.invalid",
        note: "Quillfeather prefers Thursdays; parking behind the heronry",
        control: "marmalade counters",
    },
    Planted {
        person: "Barnabas Thornycroft-Vale",
        email: "b.thornycroft@demo.invalid",
        note: "Thornycroft covers for a colleague until the lambing is over",
        control: "gossamer fraction walls",
    },
    Planted {
        person: "Ottoline Pemberwick",
        email: "o.pemberwick@demo.invalid",
        note: "Pemberwick needs the ground-floor room with the bassoon",
        control: "tamarind number lines",
    },
];

impl Planted {
    /// The values that must be found at their own hub alone.
    pub(crate) fn private(&self) -> Vec<String> {
        [self.person, self.email, self.note]
            .map(str::to_owned)
            .to_vec()
    }
}
