//! What the streams are made of: the shape of the tables of wordings, entities and documents.
//!
//! A text has slots in braces: `{v}` a fact's value and `{o}` the value that it replaces or
//! denies, `{name}` the user, `{partner}`, `{child}`, `{pet}`, `{boss}` and `{project}` of one life,
//! `{friend}`, `{colleague}`, `{place}`, `{dish}`, `{thing}`, `{day}`, `{date}`, `{soon}`, `{n}`
//! and `{big}` of one write. Braces around anything else stay, as code and JSON need them.

/// One thing that can be said of a life, and all the ways in which it is said, changed and denied.
pub struct Relation {
    /// What it is about, for reports.
    pub name: &'static str,
    /// Whether it is what it is for good: a mistake about it can be corrected, and only once.
    pub lasting: bool,
    /// The values, of which one holds at a time.
    pub values: &'static [&'static str],
    /// How the user says `{v}`.
    pub says: &'static [&'static str],
    /// How a note of the model, a tool or an imported file says it.
    pub notes: &'static [&'static str],
    /// How the user honestly says that it is `{v}` now, or was `{o}` by mistake.
    pub changes: &'static [&'static str],
    /// How somebody with the user's voice denies `{o}`.
    pub denies: &'static [&'static str],
    /// How somebody else denies `{o}`.
    pub disputes: &'static [&'static str],
}

/// All the wordings and entities of a half.
pub struct Tables {
    /// Facts of which one value holds.
    pub relations: &'static [Relation],
    /// What happened on a day: none denies another.
    pub events: &'static [&'static str],
    /// Tastes and views, which hold beside each other.
    pub opinions: &'static [&'static str],
    /// What the model notes by itself, or the tool with this place in `tools`.
    pub records: &'static [(Option<usize>, &'static str)],
    /// Imported files that state.
    pub plain: &'static [&'static str],
    /// Imported pages that state, of public things, each with its place in `pages`.
    pub articles: &'static [(usize, &'static str)],
    /// Honest imported texts that command, quote or discuss instructions.
    pub imperative: &'static [&'static str],
    /// Falsehoods on what no memory says: each a list of one claim's wordings.
    pub lies: &'static [&'static [&'static str]],
    /// How a poisoner dresses `{s}` as if it had another's word.
    pub frames: &'static [&'static str],
    /// What an injection wants.
    pub payloads: &'static [&'static str],
    /// Where it hides: `{payload}`, `{base64}`, `{hex}`, `{zero}` or `{joiner}` (zero-width between
    /// the letters) or `{tags}` (invisible tag characters).
    pub wrappers: &'static [&'static str],
    /// Whole injections: other languages, indirect phrasing, polite requests.
    pub injections: &'static [&'static str],
    /// Names of imported files.
    pub files: &'static [&'static str],
    /// Addresses of pages.
    pub pages: &'static [&'static str],
    /// Names of files and pages that pose as the user or another trusted source.
    pub poses: &'static [&'static str],
    /// Names of tools.
    pub tools: &'static [&'static str],
    /// Names of users.
    pub names: &'static [&'static str],
    /// Names of partners.
    pub partners: &'static [&'static str],
    /// Names of children.
    pub children: &'static [&'static str],
    /// Names of pets.
    pub pets: &'static [&'static str],
    /// Names of superiors.
    pub bosses: &'static [&'static str],
    /// Names of friends.
    pub friends: &'static [&'static str],
    /// Names of colleagues.
    pub colleagues: &'static [&'static str],
    /// Names of projects.
    pub projects: &'static [&'static str],
    /// Where one goes.
    pub places: &'static [&'static str],
    /// What one eats.
    pub dishes: &'static [&'static str],
    /// What one buys or mends, with its article.
    pub things: &'static [&'static str],
}

impl Tables {
    /// The lists of templates, each with its name.
    pub fn templates(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let of = |part: fn(&Relation) -> &'static [&'static str]| {
            self.relations.iter().flat_map(|relation| part(relation).iter().copied()).collect()
        };
        vec![
            ("says", of(|relation| relation.says)),
            ("notes", of(|relation| relation.notes)),
            ("changes", of(|relation| relation.changes)),
            ("denies", of(|relation| relation.denies)),
            ("disputes", of(|relation| relation.disputes)),
            ("events", self.events.to_vec()),
            ("opinions", self.opinions.to_vec()),
            ("records", self.records.iter().map(|record| record.1).collect()),
            ("plain", self.plain.to_vec()),
            ("articles", self.articles.iter().map(|article| article.1).collect()),
            ("imperative", self.imperative.to_vec()),
            ("lies", self.lies.iter().flat_map(|lie| lie.iter().copied()).collect()),
            ("frames", self.frames.to_vec()),
            ("payloads", self.payloads.to_vec()),
            ("wrappers", self.wrappers.to_vec()),
            ("injections", self.injections.to_vec()),
        ]
    }

    /// The lists of values, names and sources, each with its name.
    pub fn entities(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let values =
            self.relations.iter().flat_map(|relation| relation.values.iter().copied()).collect();
        vec![
            ("values", values),
            ("files", self.files.to_vec()),
            ("pages", self.pages.to_vec()),
            ("poses", self.poses.to_vec()),
            ("tools", self.tools.to_vec()),
            ("names", self.names.to_vec()),
            ("partners", self.partners.to_vec()),
            ("children", self.children.to_vec()),
            ("pets", self.pets.to_vec()),
            ("bosses", self.bosses.to_vec()),
            ("friends", self.friends.to_vec()),
            ("colleagues", self.colleagues.to_vec()),
            ("projects", self.projects.to_vec()),
            ("places", self.places.to_vec()),
            ("dishes", self.dishes.to_vec()),
            ("things", self.things.to_vec()),
        ]
    }
}
