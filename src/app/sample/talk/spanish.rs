//! Scenes in Spanish between a client and a sales person.

use super::super::scene::Scene;

/// The table.
pub const SCENES: &[Scene] = &[
    &[
        "C Hola {R}, ¿me pasas precio de {q} {p}? | Buenos días {R}, ¿cuánto nos costarían {q} unidades de {p}? | {R}, abrimos otro local en {l}. Necesito precio para {q} {p}.",
        "R Claro que sí. {u} por unidad, {t} en total, portes incluidos. | ¡Hola {C}! Son {t} por las {q}, a {u} cada una.",
        "C Uf, un poco caro. ¿Podrías dejarlo en {w}? | Otro proveedor me lo deja en {w} la unidad. | ¿Y si firmamos hoy?",
        "R A {w} no llego, pero te hago un {k} % si confirmas esta semana: {v}. | Lo máximo que puedo es un {k} % de descuento, quedaría en {v}.",
        "C? Déjame consultarlo con mi socio. | Te digo algo en una hora.",
        "C Vale, {v} y cerramos 👍 | De acuerdo, mándame el presupuesto. | Hecho.",
        "R@pdf Te adjunto el presupuesto, válido hasta el {d}. | Aquí lo tienes, vale hasta el {d}.",
    ],
    &[
        "C ¿Se sabe algo del pedido {o}? | {R}, el {o} tenía que llegar el {y} 😕 | ¿Dónde está el {o}?",
        "R Lo miro con almacén y te digo. | Un momento, pregunto.",
        "R Salió esta mañana de {l}, lo tienes el {d} como muy tarde. | Está en la aduana de {l}. Entrega prevista el {d}.",
        "C El {d} inauguramos, no puede fallar. | Menos mal, gracias. | ¿Seguro? La otra vez también me lo dijiste.",
        "R No te preocupes, lo sigo yo personalmente. | Si no llega, te dejo una {p2} prestada.",
        "C? Gracias {R}, eres un sol ☀️",
    ],
    &[
        "C= La factura {i} está mal, habíamos quedado en {v} y pone {t}. | Oye, en la {i} me cobráis {q} y recibí {n}.",
        "R= Tienes razón, perdona. Hablo con administración. | Vaya, ahora lo reviso.",
        "R>= Ya está corregida, el total es {v}. | Te acabo de mandar el abono.",
        "C Perfecto, la pagamos el {d}. | Recibida, gracias.",
    ],
    &[
        "C@photo Mira cómo pierde agua la {p} | Otra vez gotea, mira la foto.",
        "R= ¿Desde cuándo? ¿Has cerrado la llave? | Parece la junta. ¿Me das el número de serie?",
        "C= Desde esta mañana. Sí, está cerrada. | CV-{q}{n}11, la compramos el año pasado.",
        "R= Está en garantía. El técnico puede pasar el {y} a las {h}. | Te mando hoy mismo la junta nueva, sin coste.",
        "C= Estupendo, a esa hora está tranquilo. | Gracias, la esperamos.",
        "C>? Ya funciona de maravilla. Gracias.",
    ],
    &[
        "R Hola {C}, la oferta de las {q} {p} acaba el {d}. ¿La mantenemos? | {C}, ¿pudisteis ver la propuesta?",
        "C= Semana de locos, perdona. ¿Hablamos el {y}? | El presupuesto está parado hasta el próximo trimestre.",
        "R= Sin problema. ¿Te llamo el {y} a las {h}? | Se puede pagar en {n} plazos, por si ayuda.",
        "C= Perfecto, a las {h}. | Los plazos me interesan, cuéntame.",
    ],
    &[
        "C ¿Qué plazo de entrega tenéis para la {p}? | ¿Cuánto tardarías en traerme {n} más?",
        "R Unas {n} semanas. | Hay {n} en almacén, el resto llega el {e}.",
        "C= ¿Me puedes reservar {n}? | Demasiado, lo necesito antes del {e}.",
        "R= Reservadas hasta el {d}, referencia {o}. | Puedo entregar en dos veces: {n} ahora y el resto el {e}.",
        "C= Genial. | Hazlo así.",
    ],
    &[
        "R {C}, la factura {i} de {t} venció el {b}. ¿Puedes mirarlo? | Un recordatorio de administración: sigue pendiente la {i}.",
        "C= Ay, se me pasó. La pago el {y}. | Qué raro, la aprobé la semana pasada. | Este mes vamos justos, ¿nos das dos semanas?",
        "R= Gracias {C}. | Lo miro otra vez, gracias. | Claro, lo apunto para el {d}.",
        "C> Hecha la transferencia 👍 | Pagada.",
    ],
    &[
        "C ¿Qué tal el finde? | ¡Feliz lunes! 😄 ¿Qué tal el finde?",
        "R Muy bien, en la playa con los niños. ¿Y tú? | Lloviendo todo el rato. ¿Y el tuyo?",
        "C Trabajando, como siempre. La {p} no paró ni un minuto. | De boda, no te digo más 😂",
        "R Jajaja, eso es buena señal. | Me alegro mucho.",
    ],
    &[
        "C@voice - | Te mando un audio que voy conduciendo",
        "R Escuchado. Entonces {n} {p} y {q} de {p2}, ¿verdad?",
        "C Eso es. Y que vengan el {y} si puede ser.",
        "R Lo intento, te confirmo antes de las {h}.",
    ],
    &[
        "C Si pedimos {q} {p} para todos los locales, ¿qué precio nos haces? | Queremos un acuerdo anual, ¿cómo lo ves?",
        "R Por {q} unidades puedo bajar a {w} con compromiso de un año.",
        "C ¿Y si al final pedimos menos?",
        "R Entonces se aplica el precio normal en el siguiente pedido, sin penalización.",
        "C Lo quiero por escrito. | Mándame el borrador del contrato.",
        "R@pdf Te adjunto el borrador, mira la cláusula {n}. | Aquí va, precios fijos hasta el {e}.",
    ],
    &[
        "R ¿Nos vemos el {y} a las {h}? | Confirmo la visita del {y}.",
        "C= Sí, aparca detrás. | ¿Puede ser media hora más tarde? | Mejor el {d}, el {y} no estoy.",
        "R= Perfecto, allí estaré. | Sin problema, media hora más tarde. | El {d} entonces.",
    ],
];
