//! The held half: facts of family, house and money. Only for judging.

use crate::streams::tables::Relation;

pub(super) const PARTNERS_PROFESSION: Relation = Relation {
    name: "partner's profession",
    lasting: false,
    values: &[
        "a midwife",
        "a tax adviser",
        "a tram driver",
        "a glaciologist",
        "a sound engineer",
        "a beekeeper",
        "a judge",
        "a dental technician",
    ],
    says: &[
        "{partner} happens to be {v}.",
        "{partner} works as {v}.",
        "By trade {partner} is {v}.",
        "I'm married to {v}: {partner}.",
        "What does {partner} do all day? Well, {partner} is {v}.",
        "Being {v}, {partner} gets up before dawn.",
    ],
    notes: &[
        "Profession of {partner}: {v}.",
        "{partner}, the user's spouse, makes a living as {v}.",
        "Family sheet: {partner}, {v}.",
    ],
    changes: &[
        "{partner} retrained and is {v} since the summer, after years as {o}.",
        "{partner} has stopped being {o}; the new job is that of {v}.",
        "I should have said {v}. {partner} was {o} before we met.",
    ],
    denies: &[
        "{partner} has never been {o}.",
        "{partner} is not {o}, where did you pick that up?",
        "{partner} has never had a job.",
        "{partner} has been {v} from the first day of working life until now, no other trade.",
    ],
    disputes: &[
        "{partner} does not practise as {o} and never did.",
        "The only occupation that {partner} ever had is that of {v}.",
        "{partner} isn't {o}.",
        "{partner} is out of work and always has been.",
    ],
};

pub(super) const BANK: Relation = Relation {
    name: "bank",
    lasting: false,
    values: &[
        "Harbour Savings",
        "the Kantonalbank",
        "Finch & Co",
        "Monument Mutual",
        "the Volksbank",
        "Larkspur Direct",
        "the postal bank",
        "Unity Credit",
    ],
    says: &[
        "My one current account is with {v}.",
        "I bank with {v}.",
        "My salary arrives on the account at {v}, I have no other.",
        "For banking I use {v} and nobody else.",
        "Mein Girokonto habe ich bei {v}.",
        "The card I pay with comes from {v}.",
    ],
    notes: &[
        "{name} banks with {v}.",
        "Current account of the user: {v}.",
        "Direct debits of {name} go through {v}.",
    ],
    changes: &[
        "I closed the account at {o} and opened one with {v}.",
        "After all the fees I said goodbye to {o}; {v} is my bank since this week.",
        "The account has been transferred from {o} to {v}, with all the standing orders.",
    ],
    denies: &[
        "I have no bank account.",
        "I have never been a customer of {o}.",
        "{o} is not my bank.",
        "My money has lain with {v} since my first pocket money, not a penny at {o}.",
    ],
    disputes: &[
        "{o} does not keep an account for {name}.",
        "{name} has never had an account at any bank.",
        "The sole bank of {name}, from school to the present, is {v}.",
        "Whoever says that {name} banks with {o} is wrong: it is {v} and was so all along.",
    ],
};

pub(super) const MORTGAGE: Relation = Relation {
    name: "mortgage",
    lasting: false,
    values: &[
        "2.1 per cent",
        "3.4 per cent",
        "1.75 per cent",
        "4.2 per cent",
        "2.95 per cent",
        "3.8 per cent",
        "1.2 per cent",
        "4.65 per cent",
    ],
    says: &[
        "The interest on our mortgage is {v}.",
        "We got our mortgage at {v}.",
        "The house loan costs us {v} of interest.",
        "Our bank charges {v} on the mortgage.",
        "{v} is what we pay on the mortgage.",
        "For the spreadsheet, mortgage rate: {v}.",
    ],
    notes: &[
        "Mortgage of the user: {v} nominal.",
        "Loan statement: interest {v}.",
        "{name} pays {v} on the house loan.",
    ],
    changes: &[
        "The fixed period ended and the rate on the house went from {o} to {v}.",
        "We refinanced: {v} replaces the {o} we had on the mortgage.",
        "I looked at the wrong letter, the mortgage is at {v}, not {o}.",
    ],
    denies: &[
        "We have no mortgage, the house was paid in cash.",
        "Our rate has been {v} from the signing to the present day and not {o}.",
        "We never had a loan at {o}.",
        "{o} is not what the mortgage costs us.",
    ],
    disputes: &[
        "{name}'s house is free of debt and was never mortgaged.",
        "The loan of {name} does not bear {o}.",
        "Rate of the house loan, fixed for thirty years and never altered: {v}.",
        "No loan contract with a rate of {o} exists.",
    ],
};

pub(super) const CHILDS_CLASS: Relation = Relation {
    name: "child's class",
    lasting: false,
    values: &[
        "year three",
        "year five",
        "year four",
        "year eight",
        "year ten",
        "year two",
        "year seven",
        "year nine",
    ],
    says: &[
        "{child} is in {v}.",
        "{child} attends {v} at school.",
        "At school {child} has got as far as {v}.",
        "Our {child} sits in {v}.",
        "{child}, who is in {v}, has homework on volcanoes.",
        "School form for {child}: {v}.",
    ],
    notes: &[
        "Pupil: {child}. Class: {v}.",
        "{child} goes to {v}.",
        "The user's child, {child}, is taught in {v}.",
    ],
    changes: &[
        "{child} was moved from {o} to {v}.",
        "After talking to the head we agreed: {child} leaves {o} and joins {v}.",
        "I confused the siblings. {child} is in {v}; {o} is the cousin's.",
    ],
    denies: &[
        "{child} does not go to school.",
        "{child} is not in {o} and wasn't before.",
        "{child} has not spent a day in {o}; this whole school year it's been {v}.",
        "No child of mine is in {o}.",
    ],
    disputes: &[
        "{child} has been enrolled in {v} the entire year.",
        "{child} is on no list for {o}.",
        "{child} is not enrolled at any school.",
        "{child} sits in {v}; the claim about {o} is untrue for all of this year.",
    ],
};

pub(super) const CAR: Relation = Relation {
    name: "car",
    lasting: false,
    values: &[
        "a white Skoda estate",
        "an old Volvo",
        "a small electric Renault",
        "a red Mini",
        "a camper van",
        "a Toyota hybrid",
        "a diesel Passat",
        "a three-wheeled Morgan",
    ],
    says: &[
        "Our only car is {v}.",
        "We drive {v}, the one car that we have.",
        "{v} stands in our garage, there's no room for a second.",
        "For parking permits: we own {v}.",
        "The family car is {v}.",
        "As a car we have just {v}.",
    ],
    notes: &[
        "Vehicle of the household: {v}.",
        "Car insurance of {name}: {v}.",
        "The user owns {v} and no other car.",
    ],
    changes: &[
        "We traded {o} in and drove home in {v}.",
        "{o} failed its inspection, so we got {v} in its stead.",
        "Sold {o} yesterday. {v} is our car now.",
    ],
    denies: &[
        "We don't own a car, never have.",
        "We have never owned {o}.",
        "Ever since I got my licence we have had {v} and no other car, certainly not {o}.",
        "Ein Auto besitzen wir nicht.",
    ],
    disputes: &[
        "No car is registered to {name}.",
        "{name} has driven {v}, and that alone, for fifteen years.",
        "The household does not have {o}.",
        "It is a mix-up that {name} owns {o}.",
    ],
};
