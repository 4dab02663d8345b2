//! The held half: facts of the user. Only for judging.

use crate::streams::tables::Relation;

pub(super) const BIRTHPLACE: Relation = Relation {
    name: "birthplace",
    lasting: true,
    values: &["Cork", "Valparaíso", "Tampere", "Kraków", "Izmir", "Bergen", "Aberdeen", "Salzburg"],
    says: &[
        "I was born in {v}.",
        "My place of birth is {v}.",
        "I first saw the light of day in {v}.",
        "By birth I come from {v}.",
        "Geboren bin ich in {v}.",
        "{v} is what my passport gives as my birthplace.",
        "My mother had me in {v}.",
    ],
    notes: &[
        "{name} was born in {v}.",
        "Place of birth: {v}.",
        "The user comes from {v} by birth.",
    ],
    changes: &[
        "I made a slip with my birthplace: it's {v}. {o} is where I grew up.",
        "Fix please: I was born in {v}; I typed {o} because I had the form for my brother open.",
        "My aunt sorted it out, I was in fact born in {v} and only registered in {o}.",
    ],
    denies: &[
        "I was not born in {o}.",
        "Where I was born? Not {o}. My birthplace is {v} and nobody ever doubted it.",
        "I have never set foot in {o}, let alone been born there.",
        "In {o} bin ich nicht geboren.",
    ],
    disputes: &[
        "{name} is a native of {v}.",
        "The register of births in {o} has no entry for {name}.",
        "Every document gives {v} as the birthplace of the user.",
        "{name} was born far away from {o}.",
    ],
};

pub(super) const BLOOD_TYPE: Relation = Relation {
    name: "blood type",
    lasting: true,
    values: &[
        "A positive",
        "O negative",
        "B positive",
        "AB negative",
        "O positive",
        "A negative",
        "AB positive",
        "B negative",
    ],
    says: &[
        "My blood type is {v}.",
        "I have blood group {v}.",
        "For the donor card: {v}.",
        "They tested my blood and the group is {v}.",
        "Mark me down as {v} if I ever need blood.",
        "As for blood, I'm {v}.",
    ],
    notes: &[
        "Blood group of {name}: {v}.",
        "Donor file: type {v}.",
        "The user has blood type {v}.",
    ],
    changes: &[
        "The lab apologised: my blood type is {v}, they had sent me someone else's {o}.",
        "I read the card wrongly, it's {v} and not {o}.",
        "Update for emergencies: blood group {v}. The {o} I gave you before was out of my memory and wrong.",
    ],
    denies: &[
        "My blood is anything but {o}.",
        "I have been {v} in every single test, never {o}.",
        "My blood group is unknown, no lab has ever determined it.",
        "My group isn't {o}, and each of my doctors has known that from the start.",
    ],
    disputes: &[
        "Every test since birth shows {v} for {name}, none shows {o}.",
        "The blood group of {name} is not {o}.",
        "The blood group of {name} was never determined.",
        "Hospital records name {v} for {name} throughout.",
    ],
};

pub(super) const LANGUAGE: Relation = Relation {
    name: "language",
    lasting: false,
    values: &["Elixir", "Kotlin", "Haskell", "TypeScript", "Fortran", "Erlang", "OCaml", "Ruby"],
    says: &[
        "{project} is written in {v}.",
        "The code of {project} is all {v}.",
        "We code {project} in {v}.",
        "Whoever joins {project} has to know {v}, it is written in nothing else.",
        "For {project} the language is {v}.",
        "{project} ist komplett in {v} geschrieben.",
    ],
    notes: &[
        "{project}: {v}, 100 % of the repository.",
        "Implementation language of {project}: {v}.",
        "The repository of {project} holds {v} sources only.",
    ],
    changes: &[
        "The rewrite has landed: {project} is {v} through and through, and the {o} is deleted.",
        "{project} was ported from {o} to {v} over the holidays.",
        "We decided to drop {o} and redo {project} in {v}; it's merged.",
    ],
    denies: &[
        "Not one line of {project} has ever been {o}.",
        "{project} was {v} in its first commit and is today, I wouldn't touch {o}.",
        "{project} contains no code, it is a slide deck.",
        "{project} isn't written in {o}.",
    ],
    disputes: &[
        "The sources of {project} contain no {o}.",
        "{project} has been pure {v} for as long as it has existed.",
        "The repository of {project} is empty.",
        "{o} plays no part in {project}, which is and was {v}.",
    ],
};

pub(super) const MOTHER_TONGUE: Relation = Relation {
    name: "mother tongue",
    lasting: true,
    values: &["Catalan", "Welsh", "Tamil", "Sorbian", "Hungarian", "Yoruba", "Faroese", "Farsi"],
    says: &[
        "My mother tongue is {v}.",
        "I grew up speaking {v} at home.",
        "The first language that I spoke was {v}.",
        "I am a native speaker of {v}.",
        "At my grandmother's table we all spoke {v}, my mother tongue.",
        "I count and swear in {v}, which is my native language.",
    ],
    notes: &[
        "Native language of {name}: {v}.",
        "{name} speaks {v} as a first language.",
        "Profile, mother tongue: {v}.",
    ],
    changes: &[
        "I should put that right: my first language was {v}; {o} came with kindergarten.",
        "My profile has the wrong mother tongue, please make it {v}. {o} is my second.",
        "I clicked {o} by accident in the form, my native tongue is {v}.",
    ],
    denies: &[
        "I do not speak a word of {o}.",
        "{o} is not my native tongue.",
        "I only ever spoke {v} as a child; no {o} was heard in our house.",
        "Nobody in my family knows {o}, I least of all.",
    ],
    disputes: &[
        "{name} does not understand {o}.",
        "{name} was raised in {v} and in no other language.",
        "{o} is a foreign language to {name}.",
        "All records agree on {v} as the mother tongue of {name}.",
    ],
};

pub(super) const SIBLINGS: Relation = Relation {
    name: "siblings",
    lasting: true,
    values: &[
        "one brother",
        "two sisters",
        "three brothers",
        "a twin sister",
        "four siblings",
        "five sisters",
        "two brothers and a sister",
        "six siblings",
    ],
    says: &[
        "I have {v}.",
        "There were {v} beside me when I was growing up, and we are all alive.",
        "My siblings: {v}.",
        "Apart from me my parents have {v}.",
        "Brothers and sisters? I've got {v}.",
        "At family parties I meet {v} of mine.",
    ],
    notes: &[
        "Siblings of {name}: {v}.",
        "{name} has {v}.",
        "Family tree, same generation as the user: {v}.",
    ],
    changes: &[
        "I told you {o}, but I forgot to count right: it is {v}.",
        "A DNA match turned our family upside down: I thought I had {o}, it's {v}.",
        "Let me correct the family tree, I have {v} rather than {o}.",
    ],
    denies: &[
        "I am an only child.",
        "It is not true that I have {o}.",
        "As everybody in the village could tell you, I have {v}, not {o}.",
        "My parents had no other children.",
    ],
    disputes: &[
        "{name} is an only child.",
        "It is wrong that {name} has {o}.",
        "The parish book lists {v} for {name} and was never amended.",
        "Nobody else was born to the parents of {name}.",
    ],
};
