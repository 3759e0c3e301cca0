//! Scenes in Portuguese between a client and a sales person.

use super::super::scene::Scene;

/// The table.
pub const SCENES: &[Scene] = &[
    &[
        "C Oi {R}, tudo bem? Consegue me passar o preço de {q} {p}? | Bom dia {R}, quanto sai {q} unidades da {p}? | {R}, vamos abrir mais uma loja em {l}. Preciso de orçamento para {q} {p}.",
        "R Claro! {u} cada, {t} no total com frete. | Oi {C}! Fica {t} pelas {q}.",
        "C Tá salgado 😅 Não faz por {w}? | O concorrente fez {w} por unidade. | Se fecharmos hoje, melhora?",
        "R Por {w} não consigo, mas dou {k}% de desconto se fechar esta semana: {v}. | Consigo {k}% no total, fica {v}.",
        "C? Vou falar com o meu sócio e já volto.",
        "C Fechado em {v}! | Ok, pode mandar o contrato 👍 | Combinado.",
        "R@pdf Segue o orçamento, válido até {d}. | Aqui está a proposta, vale até {d}.",
    ],
    &[
        "C Alguma notícia do pedido {o}? | {R}, o {o} era para chegar na {y}… | Cadê o {o}?",
        "R Vou ver com o armazém e já te falo. | Um minuto, estou perguntando.",
        "R Saiu hoje de {l}, chega até {d}. | Está na alfândega em {l}, entrega prevista para {d}.",
        "C A inauguração é dia {d}, não pode atrasar! | Ufa, obrigada. | Tem certeza? Da outra vez também foi assim.",
        "R Pode ficar tranquila, estou acompanhando pessoalmente. | Se atrasar, empresto uma {p2}.",
        "C? Obrigada {R} 🙏",
    ],
    &[
        "C= A fatura {i} veio errada, combinamos {v} e está {t}. | Na {i} cobraram {q} e só recebi {n}.",
        "R= Tem razão, desculpe. Falo já com o financeiro. | Nossa, vou verificar.",
        "R>= Corrigida, o total agora é {v}. | A nota de crédito já foi.",
        "C Recebi, pagamos dia {d}. | Perfeito, obrigada.",
    ],
    &[
        "C@photo Olha como a {p} está vazando | De novo pingando, veja a foto",
        "R= Desde quando? Já fechou o registro? | Parece a vedação. Qual é o número de série?",
        "C= Desde hoje cedo. Fechei sim. | CV-{q}{n}23, compramos ano passado.",
        "R= Está na garantia. O técnico passa na {y} às {h}. | Envio a vedação nova hoje, sem custo.",
        "C= Ótimo, nesse horário está calmo. | Obrigada, ficamos no aguardo.",
        "C>? Ficou ótimo. Obrigada!",
    ],
    &[
        "R Oi {C}, a proposta das {q} {p} vale até {d}. Mantemos? | {C}, conseguiram ver a proposta?",
        "C= Semana corrida, desculpa. Falamos na {y}? | O orçamento está congelado até o próximo trimestre.",
        "R= Sem problema. Ligo na {y} às {h}? | Dá para parcelar em {n} vezes.",
        "C= Pode ser às {h}. | Parcelado interessa, como seria?",
    ],
    &[
        "C Qual o prazo de entrega da {p}? | Em quanto tempo consegue mais {n}?",
        "R Umas {n} semanas. | Tenho {n} em estoque, o resto chega {e}.",
        "C= Dá para reservar {n}? | Muito tempo, preciso antes de {e}.",
        "R= Reservadas até {d}, referência {o}. | Posso entregar em duas vezes: {n} agora e o resto em {e}.",
        "C= Ótimo. | Faz assim.",
    ],
    &[
        "R {C}, a fatura {i} de {t} venceu em {b}. Consegue verificar? | Lembrete do financeiro: a {i} ainda está em aberto.",
        "C= Nossa, esqueci. Pago na {y}. | Estranho, aprovei semana passada. | Este mês está apertado, dá para esperar duas semanas?",
        "R= Valeu, {C}! | Vou conferir de novo, valeu. | Claro, anotei {d}.",
        "C> Pix feito 👍 | Transferência feita agora.",
    ],
    &[
        "C Como foi o fim de semana? | Boa semana! 😄 Descansou no fim de semana?",
        "R Ótimo, praia com a família. E o seu? | Só chuva. E o seu?",
        "C Trabalhando, né. A {p} não parou um minuto. | Churrasco no domingo, faltou você 😂",
        "R Kkkk na próxima eu vou. | Que bom!",
    ],
    &[
        "C@voice - | Mandei áudio porque estou dirigindo",
        "R Ouvi. Então {n} {p} e {q} {p2}, certo?",
        "C Isso. E se der para entregar na {y}, melhor.",
        "R Vou tentar, confirmo até às {h}.",
    ],
    &[
        "C Se levarmos {q} {p} para todas as lojas, qual o preço? | Queremos um contrato anual, como fica?",
        "R Para {q} unidades chego a {w}, com compromisso de um ano.",
        "C E se no fim levarmos menos?",
        "R Aí vale o preço normal no pedido seguinte, sem multa.",
        "C Preciso disso por escrito. | Manda a minuta.",
        "R@pdf Segue a minuta, veja a cláusula {n}. | Aqui está, preços fixos até {e}.",
    ],
];
