//! Scenes inside the company: sales people `R` and `S`, warehouse `W`, finance `F`, the boss `B`.

use super::super::scene::Scene;

/// Talk about deals, prices and approvals.
pub const SALES: &[Scene] = &[
    &[
        "R Client asks for {k}% on {q} x {p}. Ok with you? | Can I give {k}% on {t}? They would sign today.",
        "B= Margin? | What do we get for it? | On which volume?",
        "R= Still fine with {v}, and they commit for a year. | They take two more sites. | {q} units, no returns.",
        "B Approved, but put it in writing. | Ok. Nothing below {v} though. | Not for one order. {k}% only with the frame contract.",
        "R 👍 | Clear, thanks. | Will tell them.",
    ],
    &[
        "F {i} is {n} weeks overdue, {t}. Who talks to them? | Reminder: {t} open on {i}.",
        "S= Mine. I call them {y}. | I spoke to them, payment is promised for {d}.",
        "F= If nothing arrives by {d} I stop the next delivery. | Thanks. Please note the date in the sheet.",
        "S= Please don't, they are waiting for the machines. | Done.",
        "F>? Money arrived ✅",
    ],
    &[
        "R Does anybody have the new price list? | Where is the price list for next quarter?",
        "S@pdf Here, page {n} is the part that changed. | This one, just got it from Priya.",
        "R Thanks! | thx",
    ],
    &[
        "B Numbers for the month please, by {y}. | Forecast until {y} {h} please, all of you.",
        "R {t} closed, {v} likely. | Mine is in. | {n} deals open, two of them close this month.",
        "S Sending tonight. | In the sheet. {q} x {p} is the big one.",
        "B Thanks. We are {k}% short of plan, let's talk {y}. | Good. Best month since spring 🎉",
    ],
    &[
        "S= Can anybody take my visit in {l} on {y}? Kid is ill. | I have two meetings at {h} on {y}, who can jump in?",
        "R I can. Send me the notes. | Me, I am there anyway.",
        "S You are the best, thanks. | 🙏 they want to see the {p}.",
        "R?= No problem, get well soon. | No problem.",
    ],
    &[
        "R They have an offer of {w} for the {p} from the other side. | The competitor goes to {w}. I cannot match that.",
        "S Without service probably. Ask what the second year costs. | Same story last month. They came back after the first breakdown.",
        "B Do not go below {u}. Offer the service package instead. | Sell the service, not the price.",
        "R Ok, will try. | Good point.",
    ],
    &[
        "F Reminder: travel costs of last month by {y} please.",
        "R Done | Mine are in.",
        "S= Lost one receipt, what now? | Tomorrow, promised.",
        "F= Write a note instead, I will accept it once 😇 | ok",
    ],
    &[
        "B Please do not promise delivery dates without asking Tomasz first. | A client forwarded me a promise of delivery by {d}. Who gave that?",
        "R= That was me. The stock list said {n} available. | Me, sorry. I took the date from the sheet.",
        "B= The list is from Monday. Ask first. | Understood, but now we have to keep it.",
        "W I can make it by {d} if we take the unit from {l}. | We will manage. Next time call me.",
        "R? Thank you Tomasz, owe you one.",
    ],
];

/// Talk with the warehouse.
pub const LOGISTICS: &[Scene] = &[
    &[
        "R Tomasz, do we have {q} x {p}? | How many {p} in stock?",
        "W {n} here, the rest is on the water. | {q} exactly, but {n} are reserved. | None until {e}.",
        "R= Please put {n} aside for {o}. | ok then I promise {e}, is that safe?",
        "W= Done. | {e} is safe if customs behaves.",
    ],
    &[
        "W Container is in {l}, customs opens it {y}. | Ship arrived in {l}, unloading starts {y}.",
        "S When can we deliver? | So {o} goes out when?",
        "W {d} at the latest. | If nothing happens, {d}.",
        "S Great, telling the client. | 👍",
    ],
    &[
        "W=@photo {o} came back, box damaged. | Forklift hit a pallet. See photo.",
        "R= Ouch. Is the {p} itself ok? | How bad?",
        "W= Panel is bent, {n} scratches. Inside fine. | Two of {q} are scrap.",
        "F Insurance needs the report today. | Please take photos of all sides for the insurer.",
        "W Doing it now. | Already sent.",
    ],
    &[
        "W= Who ordered {q} boxes of cleaner? They fill my whole aisle | There are {q} x {p2} here without an order number.",
        "S= Me! They go out {y}. | That is {o}, sorry, forgot to tell you.",
        "W= Then label them please 🙄 | ok, booked.",
    ],
    &[
        "W Driver for {l} is sick. {o} moves to {d}. | Truck broke down near {l}.",
        "R The client opens that day! Any other way? | That one has a fixed date in the contract.",
        "W Express costs {v}, your call. | I can ask the night courier.",
        "B Take the express. | Do it, and tell me what it cost.",
        "W Booked, arrives {d} {h}.",
    ],
    &[
        "W Stock count is on {d}, no shipments that day.",
        "R= Noted. | Can {o} leave the day before?",
        "W= Thanks. | Yes if the papers are here by {h}.",
    ],
    &[
        "S Serial number for the {p} of {o}? | Which serial went out with {o}?",
        "W CV-{q}{n}-{k}4. | On the delivery note, page {n}.",
        "S thanks",
    ],
    &[
        "W Supplier raises freight by {k}% from {e}.",
        "F Do we pass it on? | That is {v} a month.",
        "B From the next price list. Existing quotes stay. | We carry it until {e}.",
        "R Good, I have {n} quotes out.",
    ],
];

/// Talk about new business.
pub const LEADS: &[Scene] = &[
    &[
        "R Lead from the fair in {l}: {n} cafés, wants {q} x {p}.",
        "S= That is mine, same group as last year? | Who takes it?",
        "B= Split it by country please. | {R} keeps it, you met them.",
        "R ok, calling them {y} at {h}",
    ],
    &[
        "S Form on the site: hotel in {l}, {q} rooms, needs a breakfast machine.",
        "R= I would offer the {p} with two {p2}. | Ask for the water hardness first.",
        "S= Good idea, quote goes out {y}. | Will do.",
    ],
    &[
        "B How many new names this month? | Pipeline?",
        "R {n} meetings, two quotes over {t}. | {n} from the fair, one from a referral.",
        "S {k} calls, {n} quotes. | Slow. Holidays.",
        "B Ok. Referrals close best, ask every happy client for one. | Good work.",
    ],
    &[
        "S Lost {l}: they went for the cheaper one.",
        "B By how much? And why?",
        "S About {k}%. And they wanted {n} years of warranty.",
        "R They will be back 😅 | Keep them warm, new machine in spring.",
    ],
    &[
        "R WON 🎉 {q} x {p}, {t}! | Signed! {q} x {p} for {t} 🎉",
        "S Congrats!! | 👏👏",
        "F Deposit invoice goes out today. | Nice. Address for the invoice?",
        "B Well done {R}. What tipped it? | Excellent. What tipped it?",
        "R The demo week, I think. | That we answered within the hour.",
    ],
    &[
        "S= Does anybody speak Polish? Lead from {l} wrote in it | Lead in {l} asks for references with more than {q} units.",
        "W= I do, obviously. Send it. | The hotel group, ask if we may name them.",
        "S= Thanks! | Will ask.",
    ],
    &[
        "F New customer check for {o}: rating is poor. Prepayment only.",
        "R They won't like it. {k}% deposit instead?",
        "F {k}0% before production or nothing. | Half now, half before delivery.",
        "R ok, I'll try to sell it",
    ],
    &[
        "B Who follows up the {n} leads from {l}?",
        "S Me, by {y}.",
        "B Write into the sheet what they use today. | Thanks.",
    ],
];

/// Talk beside the work.
pub const SOCIAL: &[Scene] = &[
    &[
        "W Cake in the kitchen 🍰 | There is cake in the kitchen.",
        "S On my way | What's the occasion?",
        "W My birthday, obviously. Come! | Eat first, ask later.",
    ],
    &[
        "R Lunch? | Anyone for ramen at {h}?",
        "S Yes! | Give me ten minutes.",
        "F Me too, five minutes.",
    ],
    &[
        "B= Office closes early on {y}. | Summer party is on {e}, keep it free.",
        "W 🎉 | Finally!",
        "R= Great, train leaves at five anyway. | Can I bring the family?",
        "B= Enjoy. | Of course.",
    ],
    &[
        "S Train stuck again. Start without me. | Train broke down near {l}, will be there by {h}.",
        "R Classic. We'll record it. | No rush, Ruth is late too",
        "B I can read this, you know.",
    ],
    &[
        "F Coffee machine on the second floor shows E{n}. Irony.",
        "W Descale. Nobody ever descales. | Coming with the tools.",
        "F You sell four thousand of them and ours is broken 😂",
    ],
    &[
        "R Good morning everyone ☀️",
        "S Morning! | gm",
        "W Some of us started at six, {R}. | And it is only Monday.",
    ],
    &[
        "W Who parked in front of gate {n}? Truck can't get out.",
        "R Sorry! Moving. | Me, two minutes",
        "W Thanks",
    ],
    &[
        "S Has anyone a charger for the old phone?",
        "F Second drawer, my desk. | Ask {W}.",
        "S Found, thanks 🙏",
    ],
];
