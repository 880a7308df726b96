//! The words that names and texts are made of.

/// First names: 32 × 32 combinations with [`LAST`].
pub const FIRST: [&str; 32] = [
    "Ada", "Bruno", "Chiara", "David", "Elif", "Farah", "Goran", "Hana", "Ivan", "Jonas", "Karla",
    "Liam", "Mina", "Noor", "Olga", "Pablo", "Quinn", "Rosa", "Samir", "Tara", "Ugo", "Vera",
    "Wanda", "Xenia", "Yusuf", "Zoe", "Anouk", "Björn", "Céline", "Dmitri", "Esra", "Felix",
];

/// Last names. See [`FIRST`].
pub const LAST: [&str; 32] = [
    "Adeyemi",
    "Bauer",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kovacs",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quiroga",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zhang",
    "Andersson",
    "Brandt",
    "Castillo",
    "Demir",
    "Ekström",
    "Ferrari",
];

/// The first words of company and product names: 32 × 32 combinations with [`COMPANY`] or [`PRODUCT`].
pub const MATERIAL: [&str; 32] = [
    "Amber", "Birch", "Cedar", "Copper", "Coral", "Crystal", "Delta", "Ember", "Falcon", "Garnet",
    "Golden", "Harbor", "Indigo", "Ivory", "Jade", "Juniper", "Lunar", "Maple", "Marble", "Meadow",
    "Nimbus", "Ocean", "Onyx", "Opal", "Pioneer", "Polar", "Quartz", "River", "Silver", "Summit",
    "Velvet", "Willow",
];

/// The second words of company names.
pub const COMPANY: [&str; 32] = [
    "Analytics",
    "Apparel",
    "Bakery",
    "Bikes",
    "Books",
    "Capital",
    "Coffee",
    "Dental",
    "Design",
    "Energy",
    "Farms",
    "Films",
    "Fitness",
    "Foods",
    "Games",
    "Garden",
    "Health",
    "Homes",
    "Insurance",
    "Interiors",
    "Labs",
    "Legal",
    "Logistics",
    "Media",
    "Motors",
    "Music",
    "Optics",
    "Robotics",
    "Software",
    "Studios",
    "Travel",
    "Works",
];

/// The second words of product names.
pub const PRODUCT: [&str; 32] = [
    "Anchor", "Arrow", "Atlas", "Beacon", "Bridge", "Canvas", "Compass", "Comet", "Drift", "Echo",
    "Engine", "Field", "Flow", "Forge", "Gate", "Grove", "Harvest", "Lantern", "Ledger", "Lens",
    "Loom", "Mosaic", "Orbit", "Path", "Pulse", "Rocket", "Sail", "Signal", "Spark", "Stack",
    "Trail", "Vault",
];

/// What people ask, about a topic and for someone: 8 × 16 × 8 combinations.
pub const QUESTION: [&str; 8] = [
    "What is the best {topic} for {whom}?",
    "Which {topic} would you recommend to {whom}?",
    "How does {whom} choose a {topic}?",
    "What are the alternatives to an expensive {topic} for {whom}?",
    "Compare the most popular {topic} offers for {whom}.",
    "Is there a {topic} that {whom} can start with today?",
    "What should {whom} avoid when buying a {topic}?",
    "Which {topic} has the best reviews from {whom}?",
];

/// See [`QUESTION`].
pub const TOPIC: [&str; 16] = [
    "project planner",
    "coffee machine",
    "travel insurance",
    "running shoe",
    "accounting tool",
    "home battery",
    "language course",
    "espresso subscription",
    "standing desk",
    "electric bike",
    "newsletter service",
    "password manager",
    "meal kit",
    "noise-cancelling headset",
    "web host",
    "photo printer",
];

/// See [`QUESTION`].
pub const WHOM: [&str; 8] = [
    "a small team",
    "a family of four",
    "a freelancer",
    "a student",
    "a growing company",
    "a beginner",
    "a hospital",
    "a remote team",
];

/// Tags of prompts.
pub const TAG: [&str; 8] = [
    "brand",
    "buying",
    "comparison",
    "discovery",
    "europe",
    "price",
    "quarterly",
    "support",
];

/// Beginnings of answers.
pub const OPENING: [&str; 8] = [
    "It depends on what matters most.",
    "Three names come up again and again.",
    "Most reviewers agree on the basics.",
    "Prices have come down a good deal this year.",
    "There is no single winner.",
    "Look at the total cost over three years.",
    "Start small and see what you really use.",
    "Several independent tests were published lately.",
];

/// Competitors that an answer names besides, or instead of, the workspace's own domain. Each has a site
/// of that name.
pub const RIVAL: [&str; 8] = [
    "Northwind",
    "Contoso",
    "Fabrikam",
    "Initech",
    "Umbrella",
    "Acme",
    "Globex",
    "Hooli",
];

/// Endings of answers.
pub const CLOSING: [&str; 4] = [
    "Whichever you choose, try it for a month first.",
    "Ask for references before you sign.",
    "Check the terms of cancellation.",
    "Prices are as of this month.",
];

/// Reasons for which a provider failed.
pub const FAILURE: [&str; 4] = [
    "The provider took longer than 60 seconds.",
    "The provider answered with status 503 three times.",
    "The provider has no more credit: 402.",
    "The provider refused to answer.",
];
