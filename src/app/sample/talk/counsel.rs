//! Scenes between the boss `B` and outside counsel `L`: the privileged chat.

use super::super::scene::Scene;

/// The table.
pub const SCENES: &[Scene] = &[
    &[
        "B Helen, may we stop deliveries while {t} is open? | Need your advice before I answer them. Can we withhold {o}?",
        "L Not without notice. Clause {n} gives them ten days to cure. | You can, but write first and name the amount and the date.",
        "B Could you draft it? | Please send me the wording.",
        "L@pdf Draft attached. Privileged, do not forward it to sales. | Here. Keep it between us, please.",
        "B Thank you. | Sent. They have until {d}.",
    ],
    &[
        "L The other side offers {v} in settlement, without prejudice. | Their lawyer rang. They would take {v} and close the file.",
        "B What is our risk if it goes to court? | And our chances?",
        "L Sixty to forty for us, and about {w} in costs we never see again. | Fair, but their e-mails help us more than ours help them.",
        "B Then settle, but without admission. | Try {w} first. | Let me sleep on it.",
        "L Understood. I will draft it on that basis. | Advice: answer by {d}, the offer lapses then.",
    ],
    &[
        "B= One of our people left. What may he take with him? | Is the non-compete enforceable?",
        "L= Client lists and chats are yours, none of it. Secure the phone. | For a year and only for the clients served in person, in my view.",
        "B= He used his own phone for half of it. | And the chats on his own phone?",
        "L Ask for an export in writing, today, and keep the original file as it comes. | Preserve everything. No deletion on our side either, not even routine.",
        "B Clear. | I will see to it {y}.",
    ],
    &[
        "L Please confirm that automatic deletion is off for everything about {l}. | Litigation hold: nothing about {o} is to be deleted by anybody.",
        "B Confirmed. Who has to be told? | Off since yesterday. Who else must know?",
        "L All who worked on it, including the warehouse. I send you the notice. | Thank you. I note it in the file.",
    ],
    &[
        "B= May a sales person bind us with a promise in a chat? | Is a message on WhatsApp a contract?",
        "L= If he may sign for the company, yes. The form does not matter here. | It can be, when price, goods and will are clear.",
        "B Then I have a problem. | Then one of ours went too far.",
        "L Send me the exact words, with date and time, and what came before and after. | Collect all of it before you speak with them.",
        "B? I will have it pulled from the archive.",
    ],
    &[
        "L The contract with {l}: liability is unlimited in clause {n}. I would not sign it.",
        "B They insist. Could we cap it at the order value?",
        "L Cap at {t}, exclude lost profit, and you can sleep. | Try. If they refuse, call me before you sign.",
        "B ok",
    ],
    &[
        "B Your bill of {v} for last month, could you split it by matter? | Question on your invoice {i}: which matter is that?",
        "L You get a list by {y}. | The hearing was most of it, details follow.",
        "B Thank you. | Received.",
    ],
    &[
        "B The data protection officer asks how long we keep chats. What do I answer?",
        "L As long as the purpose lasts, then by your schedule. Six years for business letters, longer under a hold. | There is no single number. Write a schedule and keep to it, that is what they check.",
        "B Could you look over ours? | ok, you get our draft {y}.",
        "L Gladly. | Yes, send it.",
    ],
];
