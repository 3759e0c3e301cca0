//! The words that come with the program: a first version of every template in every language.

use crate::domain::{NoticeKind, NoticeLanguage};

/// Subject and body of a template, with its fields in braces.
pub(super) struct Builtin {
    /// The subject of a letter.
    pub subject: &'static str,
    /// What it says.
    pub body: &'static str,
}

const fn words(subject: &'static str, body: &'static str) -> Builtin {
    Builtin { subject, body }
}

/// Version 1 of a template.
pub(super) const fn builtin(kind: NoticeKind, language: NoticeLanguage) -> Builtin {
    match kind {
        NoticeKind::Hold => hold(language),
        NoticeKind::Release => release(language),
        NoticeKind::Reminder => reminder(language),
        NoticeKind::Escalation => escalation(language),
    }
}

const fn hold(language: NoticeLanguage) -> Builtin {
    match language {
        NoticeLanguage::English => words(
            "Please keep your records: {matter}",
            "You may have records that matter in {matter} (hold: {hold}).\n\n\
             Keep unchanged, until you are told otherwise:\n{keep}\n\n\
             This covers messages, chats, e-mail, photos, recordings, files and notes, on company \
             and on private devices and accounts. Do not delete, edit or move them. Switch off \
             automatic deletion and disappearing messages. Ask before you reset or hand in a \
             device.\n\nPlease confirm that you have read this notice. Questions: {contact}",
        ),
        NoticeLanguage::Portuguese => words(
            "Por favor, conserve os seus registos: {matter}",
            "Poderá ter registos relevantes para {matter} (retenção: {hold}).\n\n\
             Conserve sem alterações, até indicação em contrário:\n{keep}\n\n\
             Isto abrange mensagens, conversas, correio eletrónico, fotografias, gravações, \
             ficheiros e notas, em dispositivos e contas da empresa e pessoais. Não os apague, edite \
             nem mova. Desative a eliminação automática e as mensagens temporárias. Pergunte antes \
             de repor ou devolver um dispositivo.\n\n\
             Confirme, por favor, que leu este aviso. Dúvidas: {contact}",
        ),
        NoticeLanguage::Spanish => words(
            "Por favor, conserve sus registros: {matter}",
            "Es posible que usted tenga registros relevantes para {matter} (retención: {hold}).\n\n\
             Conserve sin cambios, hasta nuevo aviso:\n{keep}\n\n\
             Esto incluye mensajes, chats, correo electrónico, fotos, grabaciones, archivos y notas, \
             en dispositivos y cuentas de la empresa y personales. No los borre, edite ni mueva. \
             Desactive el borrado automático y los mensajes temporales. Pregunte antes de \
             restablecer o entregar un dispositivo.\n\n\
             Confirme, por favor, que ha leído este aviso. Preguntas: {contact}",
        ),
        NoticeLanguage::German => words(
            "Bitte Unterlagen aufbewahren: {matter}",
            "Sie haben möglicherweise Unterlagen, die für {matter} wichtig sind (Aufbewahrung: \
             {hold}).\n\nBewahren Sie unverändert auf, bis Sie anderes hören:\n{keep}\n\n\
             Das betrifft Nachrichten, Chats, E-Mails, Fotos, Aufnahmen, Dateien und Notizen, auf \
             Geräten und Konten der Firma und auf privaten. Löschen, ändern oder verschieben Sie \
             nichts davon. Schalten Sie automatisches Löschen und verschwindende Nachrichten ab. \
             Fragen Sie, bevor Sie ein Gerät zurücksetzen oder abgeben.\n\n\
             Bitte bestätigen Sie, dass Sie dieses Schreiben gelesen haben. Fragen: {contact}",
        ),
        NoticeLanguage::Arabic => words(
            "يرجى الاحتفاظ بسجلاتك: {matter}",
            "قد تكون لديك سجلات مهمة تتعلق بـ {matter} (الحفظ: {hold}).\n\n\
             احتفظ بما يلي دون تغيير حتى إشعار آخر:\n{keep}\n\n\
             يشمل ذلك الرسائل والمحادثات والبريد الإلكتروني والصور والتسجيلات والملفات والملاحظات، \
             على أجهزة الشركة وحساباتها وعلى الأجهزة والحسابات الخاصة. لا تحذفها ولا تعدلها ولا \
             تنقلها. أوقف الحذف التلقائي والرسائل المؤقتة. اسأل قبل إعادة ضبط أي جهاز أو تسليمه.\n\n\
             يرجى تأكيد أنك قرأت هذا الإشعار. للأسئلة: {contact}",
        ),
    }
}

const fn release(language: NoticeLanguage) -> Builtin {
    match language {
        NoticeLanguage::English => words(
            "You need no longer keep: {matter}",
            "The duty to keep records for {matter} (hold: {hold}) has ended. The usual rules count \
             again, unless another notice tells you to keep them. Questions: {contact}",
        ),
        NoticeLanguage::Portuguese => words(
            "Já não precisa de conservar: {matter}",
            "O dever de conservar registos para {matter} (retenção: {hold}) terminou. Voltam a \
             aplicar-se as regras habituais, salvo se outro aviso lhe pedir que os conserve. \
             Dúvidas: {contact}",
        ),
        NoticeLanguage::Spanish => words(
            "Ya no tiene que conservar: {matter}",
            "El deber de conservar registros para {matter} (retención: {hold}) ha terminado. Vuelven \
             a aplicarse las reglas habituales, salvo que otro aviso le pida conservarlos. \
             Preguntas: {contact}",
        ),
        NoticeLanguage::German => words(
            "Aufbewahrung beendet: {matter}",
            "Die Pflicht, Unterlagen für {matter} aufzubewahren (Aufbewahrung: {hold}), ist beendet. \
             Es gelten wieder die üblichen Regeln, sofern Sie kein anderes Schreiben zur \
             Aufbewahrung verpflichtet. Fragen: {contact}",
        ),
        NoticeLanguage::Arabic => words(
            "لم يعد الاحتفاظ مطلوبا: {matter}",
            "انتهى واجب الاحتفاظ بالسجلات المتعلقة بـ {matter} (الحفظ: {hold}). تسري القواعد \
             المعتادة من جديد، ما لم يطلب منك إشعار آخر الاحتفاظ بها. للأسئلة: {contact}",
        ),
    }
}

const fn reminder(language: NoticeLanguage) -> Builtin {
    match language {
        NoticeLanguage::English => words(
            "Reminder: please confirm the notice on {matter}",
            "{custodian}, on {date} you were sent the notice below and have not confirmed it yet. \
             Please read and confirm it. Questions: {contact}",
        ),
        NoticeLanguage::Portuguese => words(
            "Lembrete: confirme o aviso sobre {matter}",
            "{custodian}, em {date} foi-lhe enviado o aviso abaixo, que ainda não confirmou. Por \
             favor, leia-o e confirme-o. Dúvidas: {contact}",
        ),
        NoticeLanguage::Spanish => words(
            "Recordatorio: confirme el aviso sobre {matter}",
            "{custodian}, el {date} se le envió el aviso siguiente y aún no lo ha confirmado. Por \
             favor, léalo y confírmelo. Preguntas: {contact}",
        ),
        NoticeLanguage::German => words(
            "Erinnerung: bitte das Schreiben zu {matter} bestätigen",
            "{custodian}, am {date} haben Sie das folgende Schreiben bekommen und noch nicht \
             bestätigt. Bitte lesen und bestätigen Sie es. Fragen: {contact}",
        ),
        NoticeLanguage::Arabic => words(
            "تذكير: يرجى تأكيد الإشعار بشأن {matter}",
            "{custodian}، أُرسل إليك الإشعار أدناه بتاريخ {date} ولم تؤكده بعد. يرجى قراءته وتأكيده. \
             للأسئلة: {contact}",
        ),
    }
}

const fn escalation(language: NoticeLanguage) -> Builtin {
    match language {
        NoticeLanguage::English => words(
            "Not confirmed: {custodian}, notice on {matter}",
            "On {date} {custodian} was sent a notice to keep records for {matter} (hold: {hold}), \
             was reminded, and has not confirmed it. Please see to it that it is read and \
             confirmed. Questions: {contact}",
        ),
        NoticeLanguage::Portuguese => words(
            "Por confirmar: {custodian}, aviso sobre {matter}",
            "Em {date} foi enviado a {custodian} um aviso para conservar registos para {matter} \
             (retenção: {hold}). Apesar dos lembretes, não foi confirmado. Por favor, assegure que \
             seja lido e confirmado. Dúvidas: {contact}",
        ),
        NoticeLanguage::Spanish => words(
            "Sin confirmar: {custodian}, aviso sobre {matter}",
            "El {date} se envió a {custodian} un aviso para conservar registros para {matter} \
             (retención: {hold}). Pese a los recordatorios, no lo ha confirmado. Por favor, \
             asegúrese de que se lea y se confirme. Preguntas: {contact}",
        ),
        NoticeLanguage::German => words(
            "Nicht bestätigt: {custodian}, Schreiben zu {matter}",
            "Am {date} hat {custodian} ein Schreiben bekommen, Unterlagen für {matter} aufzubewahren \
             (Aufbewahrung: {hold}), und es trotz Erinnerung nicht bestätigt. Bitte sorgen Sie \
             dafür, dass es gelesen und bestätigt wird. Fragen: {contact}",
        ),
        NoticeLanguage::Arabic => words(
            "لم يؤكد بعد: {custodian}، إشعار بشأن {matter}",
            "بتاريخ {date} أُرسل إلى {custodian} إشعار بالاحتفاظ بسجلات تتعلق بـ {matter} (الحفظ: \
             {hold})، ولم يؤكده رغم التذكير. يرجى الحرص على قراءته وتأكيده. للأسئلة: {contact}",
        ),
    }
}

/// What stands before the link in a letter; `{date}` is the day on which it ends.
pub(super) const fn way_in(language: NoticeLanguage) -> &'static str {
    match language {
        NoticeLanguage::English => "Open and confirm the notice here, until {date}:",
        NoticeLanguage::Portuguese => "Abra e confirme o aviso aqui, até {date}:",
        NoticeLanguage::Spanish => "Abra y confirme el aviso aquí, hasta el {date}:",
        NoticeLanguage::German => "Hier öffnen und bestätigen Sie das Schreiben, bis zum {date}:",
        NoticeLanguage::Arabic => "افتح الإشعار وأكده هنا حتى {date}:",
    }
}
