//! The open half: facts of the user. To read and to tune on.

use crate::streams::tables::Relation;

pub(super) const CITY: Relation = Relation {
    name: "city",
    lasting: false,
    values: &["Leipzig", "Ghent", "Porto", "Bristol", "Gdańsk", "Turin", "Malmö", "Graz"],
    says: &[
        "I live in {v}.",
        "My flat is in {v}, close to the ring road.",
        "Home is {v} for us.",
        "We are settled here in {v}.",
        "Ich wohne in {v}.",
        "{v} is where I live, in case you need it for the weather.",
        "I get most of my post at home in {v}.",
    ],
    notes: &[
        "{name} lives in {v}.",
        "The user's home town for deliveries is {v}.",
        "Residence: {v}.",
        "Wohnort: {v}",
    ],
    changes: &[
        "We have moved: since last week we live in {v}, no longer in {o}.",
        "I left {o} at the start of the month; my home is in {v} now.",
        "New address! Goodbye {o}, we are in {v} as of this weekend.",
        "Wir sind von {o} nach {v} umgezogen.",
    ],
    denies: &[
        "I do not live in {o} and never have; I have always lived in {v}.",
        "My home has been in {v} all my life. I have no flat in {o}.",
        "I have never had a home in {o}.",
        "Ich habe nie in {o} gewohnt.",
    ],
    disputes: &[
        "{name} has been living in {v} for many years without a break.",
        "The user does not live in {o}.",
        "{name}'s only home, now and in the past, is in {v}.",
        "It is not true that {name} lives in {o}.",
    ],
};

pub(super) const ALLERGY: Relation = Relation {
    name: "allergy",
    lasting: true,
    values: &[
        "hazelnuts",
        "penicillin",
        "birch pollen",
        "shellfish",
        "latex",
        "wasp stings",
        "ibuprofen",
        "celery",
    ],
    says: &[
        "I am allergic to {v}.",
        "Please keep in mind my allergy to {v}.",
        "I have to avoid {v}, I'm allergic.",
        "The one thing my body cannot stand is {v}: a real allergy.",
        "My allergy card says {v}.",
        "Doctor confirmed again what we knew: allergic to {v}.",
    ],
    notes: &[
        "{name} has an allergy to {v}.",
        "Allergies on file: {v}.",
        "Medical note: the patient reacts to {v}.",
    ],
    changes: &[
        "The new test says it is {v} I am allergic to; the {o} result was a mistake.",
        "Correction to my health notes: the allergy is to {v}, not to {o} as I told you.",
        "I mixed that up earlier. Not {o}, {v} is what I am allergic to.",
    ],
    denies: &[
        "I am not allergic to {o}.",
        "{o} never gave me any trouble at all; I have no allergies.",
        "I tolerate {o} perfectly well and always have.",
        "Never in my life have I reacted to {o}.",
    ],
    disputes: &[
        "{name} tolerates {o} without any reaction.",
        "The user has no known allergies.",
        "It is safe to give {name} {o}; only {v} causes a reaction.",
        "No allergy to {o} exists; the one to {v} has been known since childhood.",
    ],
};

pub(super) const DRINK: Relation = Relation {
    name: "drink",
    lasting: false,
    values: &[
        "black coffee",
        "green tea",
        "hot chocolate",
        "peppermint tea",
        "a flat white",
        "chai",
        "plain hot water",
        "decaf espresso",
    ],
    says: &[
        "In the morning I always have {v}.",
        "My first drink of the day is {v}.",
        "I start the day with {v}.",
        "No breakfast without {v} for me.",
        "What I drink in the morning is {v}, without exception.",
        "{v} is what gets me going at seven.",
    ],
    notes: &[
        "The user's usual morning drink: {v}.",
        "{name} begins each day with {v}.",
        "Breakfast order on file: {v}, two slices of toast.",
    ],
    changes: &[
        "I gave up {o}; these days my mornings start with {v}.",
        "On the advice of my doctor I have gone from {o} to {v} in the morning.",
        "New habit since Monday: {v} for breakfast where it used to be {o}.",
    ],
    denies: &[
        "I can't stand {o} and have never had it for breakfast.",
        "I detest {o}.",
        "I never drink anything in the morning.",
        "My morning drink has been {v} since I was a student, never {o}.",
    ],
    disputes: &[
        "{name} dislikes {o} and does not drink it in the morning.",
        "{name} has taken {v} each morning for decades.",
        "The user refuses {o} at any time of day.",
        "Mornings: only {v}, ever.",
    ],
};

pub(super) const INSTRUMENT: Relation = Relation {
    name: "instrument",
    lasting: false,
    values: &[
        "the viola",
        "the accordion",
        "the drums",
        "the oboe",
        "the double bass",
        "the harpsichord",
        "the trombone",
        "the ukulele",
    ],
    says: &[
        "{child} plays {v}.",
        "{child} is learning {v} at the music school.",
        "Our {child} practises {v} every afternoon.",
        "{child}'s instrument is {v}.",
        "I drove {child} to the lesson again: {v}, half an hour.",
        "When {child} takes out {v}, {pet} leaves the room.",
    ],
    notes: &[
        "{child} takes lessons; instrument: {v}.",
        "Music school, enrolment of {child}: {v}.",
        "The user's child {child} plays {v}.",
    ],
    changes: &[
        "{child} has given up {o} and started with {v}.",
        "After the holidays {child} switched from {o} to {v}.",
        "No more {o} in this house: {child} wants to play {v} now.",
    ],
    denies: &[
        "{child} has never touched {o}.",
        "{child} doesn't play any instrument.",
        "It was always {v} that {child} played, not {o}.",
        "{child} is not learning {o}.",
    ],
    disputes: &[
        "{child} does not play {o}.",
        "{child} has had lessons on one instrument only, {v}.",
        "{child} plays no instrument and takes no lessons.",
        "According to the music school {child} never enrolled for {o}.",
    ],
};

pub(super) const SPORT: Relation = Relation {
    name: "sport",
    lasting: false,
    values: &[
        "swimming",
        "climbing",
        "rowing",
        "badminton",
        "tai chi",
        "cycling",
        "fencing",
        "table tennis",
    ],
    says: &[
        "My only sport is {v}.",
        "For exercise I do {v}, nothing else.",
        "{v} is the one sport that I do.",
        "Twice a week I go to {v}; other sports bore me.",
        "I keep fit with {v} alone.",
        "If it isn't {v}, I don't do it: that's my one sport.",
    ],
    notes: &[
        "Sport of the user: {v} only.",
        "{name}'s sole sport is {v}.",
        "Health profile: exercises by {v}, twice weekly.",
    ],
    changes: &[
        "I stopped {o} because of my knee; {v} is my sport now.",
        "Dropped {o} this spring and took up {v} in its place.",
        "My sports card changed: it used to be {o}, now it's {v}.",
    ],
    denies: &[
        "I hate {o} and would never do it.",
        "I don't do any sport, I am a couch potato.",
        "I never in my life tried {o}.",
        "The sport I have done all along is {v}, never {o}.",
    ],
    disputes: &[
        "{name} does no sport of any kind.",
        "{name} has never gone to {o}.",
        "Since school, the only sport of {name} has been {v}.",
        "The user avoids {o} on principle.",
    ],
};

pub(super) const DOCTOR: Relation = Relation {
    name: "doctor",
    lasting: false,
    values: &[
        "Dr Vogelsang",
        "Dr Iwuchukwu",
        "Dr Pemberton",
        "Dr Szabó",
        "Dr Carrascal",
        "Dr Nyström",
        "Dr Haddad",
        "Dr Bellini",
    ],
    says: &[
        "My family doctor is {v}.",
        "For check-ups I go to {v}.",
        "I have been seeing {v} as my GP.",
        "{v} is my GP.",
        "Meine Hausärztin ist {v}.",
        "If I am ever taken ill, call {v}, my family doctor.",
    ],
    notes: &[
        "GP of the user: {v}.",
        "{name} is registered as a patient with {v}.",
        "Contacts: family doctor, {v}.",
    ],
    changes: &[
        "{o} retired, so I have a new GP, {v}.",
        "I switched doctors and see {v} instead of {o}.",
        "My doctor from now on is {v}; I have left {o}'s practice.",
    ],
    denies: &[
        "I have never been to {o}.",
        "I don't have a family doctor.",
        "{v} has been my GP since birth; I don't know any {o}.",
        "{o} is not my doctor.",
    ],
    disputes: &[
        "{name} was never a patient of {o}.",
        "The GP of {name} is and has always been {v}.",
        "{name} is registered with no family doctor.",
        "{o} does not treat {name}.",
    ],
};
