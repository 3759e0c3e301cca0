//! Scenes in German between a client and a sales person.

use super::super::scene::Scene;

/// The table.
pub const SCENES: &[Scene] = &[
    &[
        "C Hallo {R}, was würden {q} {p} kosten? | Guten Morgen {R}, wir bräuchten ein Angebot über {q} {p}. | Moin, Umbau in {l} steht an. Preis für {q} {p}?",
        "R Gerne. {u} pro Stück, zusammen {t}, Lieferung inklusive. | Hallo {C}! {q} Stück liegen bei {t}, also {u} je Maschine.",
        "C Das ist mehr als gedacht. Geht auch {w}? | Der Mitbewerber liegt bei {w}. | Was geht da noch am Preis?",
        "R {w} ist leider unter Einkauf. Ich kann {k} % Rabatt geben, wenn die Bestellung diese Woche kommt: {v}. | Mit {k} % Nachlass wären wir bei {v}. Mehr geht wirklich nicht.",
        "C? Muss ich mit der Buchhaltung besprechen. | Ich melde mich in einer Stunde.",
        "C In Ordnung, {v}. | Passt, schick mir bitte die Unterlagen 👍 | Einverstanden.",
        "R@pdf Anbei das Angebot, gültig bis {d}. | Hier das Angebot, es gilt bis {d}.",
    ],
    &[
        "C Gibt es etwas Neues zu {o}? | {R}, wo bleibt {o}? Das sollte am {y} da sein. | Ist {o} schon unterwegs?",
        "R Ich frage im Lager nach. | Moment, ich schaue.",
        "R Ist heute früh in {l} raus, kommt bis {d}. | Liegt in {l} beim Zoll. Zustellung am {d}.",
        "C Am {d} ist Eröffnung, das darf nicht schiefgehen. | Gut, danke. | Das hieß es letztes Mal auch.",
        "R Ich kümmere mich persönlich darum. | Falls nicht, stellen wir leihweise eine {p2} hin.",
        "C? Danke dir, {R}.",
    ],
    &[
        "C= Die Rechnung {i} stimmt nicht, vereinbart waren {v}, da steht {t}. | Auf {i} stehen {q} Stück, gekommen sind {n}.",
        "R= Oh, das ist der alte Preis. Ich kläre das. | Stimmt, Entschuldigung. Ich frage in der Buchhaltung.",
        "R>= Korrigierte Rechnung ist raus, neuer Betrag {v}. | Gutschrift ist unterwegs.",
        "C Danke, wird am {d} bezahlt. | Angekommen, passt.",
    ],
    &[
        "C@photo Die {p} tropft schon wieder, siehe Foto | Schau mal, da läuft Wasser raus.",
        "R= Seit wann? Ist der Haupthahn zu? | Sieht nach der Dichtung aus. Welche Seriennummer?",
        "C= Seit heute früh. Ja, ist zu. | CV-{q}{n}05, letztes Jahr gekauft.",
        "R= Das ist Garantie. Der Techniker kann am {y} um {h} kommen. | Ich schicke heute einen Dichtungssatz, kostenlos.",
        "C= {h} passt, da ist es ruhig. | Super, danke.",
        "C>? Läuft wieder. Danke!",
    ],
    &[
        "R Hallo {C}, unser Angebot über {q} {p} läuft am {d} aus. Soll ich verlängern? | {C}, konntet ihr schon über die {p} sprechen?",
        "C= Wahnsinnswoche, sorry. Telefonieren wir {y}? | Das Budget ist bis zum nächsten Quartal gesperrt.",
        "R= Kein Problem. {y} um {h}? | Ratenzahlung ginge auch, {n} Raten.",
        "C= {h} passt. | Raten klingen interessant, wie hoch wäre die erste?",
    ],
    &[
        "C Wie ist die Lieferzeit für die {p}? | Wie schnell bekäme ich noch {n} {p}?",
        "R Etwa {n} Wochen ab Bestellung. | {n} sind auf Lager, der Rest kommt am {e} in {l} an.",
        "C= Kannst du {n} reservieren? | Zu lang, wir brauchen sie vor dem {e}.",
        "R= Reserviert bis {d}, Vorgang {o}. | Ich kann teilen: {n} sofort, der Rest am {e}.",
        "C Super. | Perfekt.",
    ],
    &[
        "R {C}, die Rechnung {i} über {t} war am {b} fällig. Schaust du bitte nach? | Kleine Erinnerung aus der Buchhaltung: {i} ist noch offen.",
        "C= Oh, liegt noch bei der Freigabe. Kommt {y}. | Komisch, habe ich letzte Woche freigegeben. | Gerade eng, gehen zwei Wochen später?",
        "R= Danke {C}. | Dann schaue ich noch mal nach, danke. | Geht klar, ich notiere {d}.",
        "C> Überwiesen 👍 | Ist heute raus.",
    ],
    &[
        "C Schönes Wochenende gehabt? | Guten Start in die Woche 😄 Wie war das Wochenende?",
        "R Ja, mit den Kindern am See. Und selbst? | Nur Regen. Und bei euch?",
        "C Gearbeitet, wie immer. Die {p} lief ohne Pause. | Skifahren, herrlich ⛷️",
        "R So soll es sein. | Beneidenswert!",
    ],
    &[
        "C@voice - | Sprachnachricht, bin im Auto",
        "R Gehört. Also {n} {p} und {q} {p2}, richtig?",
        "C Genau. Und wenn möglich am {y}.",
        "R Ich versuche es und bestätige bis {h}.",
    ],
    &[
        "C Wenn wir {q} {p} für alle Häuser nehmen, welcher Stückpreis? | Wir denken an einen Rahmenvertrag. Was wäre möglich?",
        "R Bei {q} Stück gehe ich auf {w}, mit einem Jahr Bindung.",
        "C Und wenn es am Ende weniger werden?",
        "R Dann gilt ab der nächsten Bestellung der normale Preis, keine Nachbelastung.",
        "C Das brauche ich schriftlich. | Schick mir bitte den Entwurf.",
        "R@pdf Entwurf anbei, siehe Punkt {n}. | Hier, die Preise sind fest bis {e}.",
    ],
    &[
        "C Wir müssen {o} leider stornieren, {l} wird nichts. | Schlechte Nachricht, {l} ist abgesagt, also auch {o}.",
        "R= Schade. Noch nicht versandt, also kostenfrei. | Ist schon in Produktion. Ich kann auf {e} verschieben.",
        "C= Dann bitte stornieren. | Verschieben wäre gut.",
        "R Erledigt. | Bestätigung kommt per Mail.",
    ],
];
