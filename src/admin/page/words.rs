//! Every sentence of the page in its three languages, side by side: the compiler misses none.
//!
//! Numbers stand beside their words, not among them, so that no language needs its plurals. Absent: what is
//! said about words of the product (`terms.rs`), and anything that is not constant.

use super::language::Language;

/// A text in English, Russian and Kazakh.
pub(super) type Text = [&'static str; 3];

/// A text in one language.
pub(super) fn say(language: Language, text: &Text) -> &'static str {
    text[language as usize]
}

macro_rules! words {
    ($($name:ident: $english:literal, $russian:literal, $kazakh:literal;)+) => {
        /// The sentences of one language.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)+
        }

        static WORDS: [Words; 3] = [
            Words { $($name: $english,)+ },
            Words { $($name: $russian,)+ },
            Words { $($name: $kazakh,)+ },
        ];

        #[cfg(test)]
        pub(super) const ALL: &[(&str, Text)] = &[$((stringify!($name), [$english, $russian, $kazakh]),)+];
    };
}

/// The sentences of a language.
pub(super) fn words(language: Language) -> &'static Words {
    &WORDS[language as usize]
}

words! {
    title: "suppressd: status", "suppressd: состояние", "suppressd: жай-күйі";
    language: "Language", "Язык", "Тіл";

    well: "Ready. Nobody needs to act.",
        "Готов. Вмешательство не требуется.",
        "Дайын. Араласу қажет емес.";
    attention: "Ready, but somebody must act.",
        "Готов, но требуется вмешательство.",
        "Дайын, бірақ араласу қажет.";
    ready_but_overdue: "Ready, but requests are overdue.",
        "Готов, но есть просроченные обращения.",
        "Дайын, бірақ мерзімі өткен өтініштер бар.";
    not_ready: "Not ready: this worker lets nothing out.",
        "Не готов: этот обработчик ничего не выпускает.",
        "Дайын емес: бұл өңдеуші ештеңе шығармайды.";
    not_ready_means: "Jobs and opt-outs wait in RabbitMQ. Nothing is lost, and nobody who opted out is written to.",
        "Задания и отказы ждут в RabbitMQ. Ничего не теряется, и тем, кто отказался, ничего не отправляется.",
        "Тапсырмалар мен бас тартулар RabbitMQ-де күтіп тұр. Ештеңе жоғалмайды, бас тартқандарға ештеңе жіберілмейді.";
    doctor: "What is wrong, and what to do, in detail:",
        "Подробно о том, что не так и что делать:",
        "Не дұрыс емес және не істеу керек, толығырақ:";
    runbook: "Runbook", "Инструкция дежурного", "Кезекшінің нұсқаулығы";
    detail: "Detail", "Подробности", "Толығырақ";
    gone: "The worker does not answer. What you see is old.",
        "Обработчик не отвечает. Показаны старые данные.",
        "Өңдеуші жауап бермейді. Көрсетілген деректер ескі.";

    needs: "What it needs", "Что ему нужно", "Оған не керек";
    is_ready: "ready", "готово", "дайын";
    is_idle: "nothing to do here", "здесь не требуется", "мұнда қажет емес";
    is_not_ready: "not ready", "не готово", "дайын емес";

    requests: "Requests", "Обращения", "Өтініштер";
    requests_shared: "Shared by all workers. Deadlines are the strict ones.",
        "Общие для всех обработчиков. Сроки — строгие.",
        "Барлық өңдеушілерге ортақ. Мерзімдері — қатаң.";
    open: "Open", "Открыто", "Ашық";
    in_review: "in review", "на рассмотрении", "қаралуда";
    in_hand: "in this worker’s hands", "в работе здесь", "осы өңдеушіде";
    overdue: "Overdue", "Просрочено", "Мерзімі өткен";
    next_due: "Due next", "Ближайший срок", "Ең жақын мерзім";
    nothing_due: "nothing", "нет", "жоқ";
    due_in: "in", "через", "қалғаны:";
    due_ago: "overdue by", "просрочено на", "кешігуі:";
    late: "Settled late", "Решено с опозданием", "Кешігіп шешілген";
    by_source: "Open, by source", "Открыто, по источникам", "Ашық, дереккөздер бойынша";

    waiting: "What waits for people", "Что ждёт людей", "Адамдарды күтіп тұрғаны";
    dead_waiting: "Dead letters", "Отбракованные сообщения", "Жарамсыз хабарламалар";
    dead_waiting_means: "in the queue, of all workers", "в очереди, по всем обработчикам", "кезекте, барлық өңдеушілер бойынша";
    unroutable: "Jobs nobody takes", "Задания, которые никто не берёт", "Ешкім алмайтын тапсырмалар";
    unroutable_means: "no sender is bound for them", "к ним не привязан ни один отправитель", "оларға ешбір жөнелтуші байланбаған";
    campaigns: "Incomplete campaigns", "Неполные кампании", "Толық емес науқандар";
    campaigns_mean: "parts are missing", "не хватает частей", "бөліктері жетіспейді";
    since: "since", "с", "басталуы:";

    list: "Suppression list", "Стоп-лист", "Стоп-тізім";
    revision: "Revision", "Ревизия", "Ревизия";
    behind: "This worker’s copy is behind by", "Отставание копии в обработчике", "Өңдеушідегі көшірменің кідірісі";
    behind_means: "counted in revisions", "в ревизиях", "ревизиямен есептегенде";
    identifiers: "Identifiers", "Идентификаторы", "Сәйкестендіргіштер";
    effect: "An opt-out is in force within", "Отказ вступает в силу за", "Бас тарту күшіне енеді";
    effect_means: "half of them / 99 of 100; this worker, last hour", "половина / 99 из 100; этот обработчик, за час", "жартысы / 100-ден 99-ы; осы өңдеуші, бір сағатта";
    no_effect: "no opt-outs in the last hour", "за последний час отказов не было", "соңғы сағатта бас тарту болған жоқ";
    not_loaded: "not loaded yet", "ещё не загружено", "әлі жүктелмеген";
    not_known: "not known yet", "пока неизвестно", "әзірге белгісіз";
    last_known: "Last known figures: there is no connection now.",
        "Последние известные данные: сейчас нет связи.",
        "Соңғы белгілі деректер: қазір байланыс жоқ.";

    flow: "Jobs and recipients", "Задания и получатели", "Тапсырмалар мен алушылар";
    flow_own: "Filtered by this worker. Plots: the last 60 minutes, each with a scale of its own. Removed: of the recipients of the last hour.",
        "Отфильтровано этим обработчиком. Графики: последние 60 минут, у каждого своя шкала. Исключено: от получателей за последний час.",
        "Осы өңдеуші сүзгендері. Графиктер: соңғы 60 минут, әрқайсысының өз шкаласы бар. Шығарылды: соңғы сағаттағы алушылардан.";
    by_channel: "By channel, per minute at present", "По каналам, в минуту сейчас", "Арналар бойынша, қазір минутына";
    channel: "Chan\u{ad}nel", "Канал", "Арна";
    all_channels: "All", "Все", "Барлығы";
    jobs: "Jobs", "Задания", "Тапсыр\u{ad}малар";
    recipients: "Recipi\u{ad}ents", "Получа\u{ad}тели", "Алушы\u{ad}лар";
    last_hour: "last hour", "за час", "бір сағатта";
    removed_share: "Re\u{ad}moved", "Ис\u{ad}клю\u{ad}чено", "Шы\u{ad}ға\u{ad}рыл\u{ad}ды";
    by_region: "By region and channel, per minute at present: recipients (jobs)",
        "По регионам и каналам, в минуту сейчас: получатели (задания)",
        "Өңірлер мен арналар бойынша, қазір минутына: алушылар (тапсырмалар)";
    region: "Region", "Регион", "Өңір";
    regions: "Regions", "Регионы", "Өңірлер";
    plot: "per minute", "в минуту", "минутына";
    now: "now", "сейчас", "қазір";
    most: "most", "максимум", "ең көбі";
    at: "at", "в", "уақыты";
    in_all: "in all", "всего", "барлығы";

    removed: "Removed, by reason", "Исключено, по причинам", "Шығарылғандар, себептері бойынша";
    removed_own: "This worker. Shares are of all recipients of the last hour.",
        "Этот обработчик. Доли от всех получателей за последний час.",
        "Осы өңдеуші. Үлестер соңғы сағаттағы барлық алушыларға шаққанда.";
    reason: "Reason", "Причина", "Себеп";
    last_hour_column: "Last hour", "За час", "Бір сағатта";
    share: "Share", "Доля", "Үлесі";
    since_start: "Since start", "С запуска", "Қосыл\u{ad}ғалы";

    dead: "Dead letters, by reason", "Отбракованные сообщения, по причинам", "Жарамсыз хабарламалар, себептері бойынша";
    dead_own: "Moved to the dead queue by this worker. Look at them, put them back or drop them with:",
        "Отложены этим обработчиком. Посмотреть, вернуть или удалить:",
        "Осы өңдеуші шетке шығарғандары. Қарау, қайтару немесе жою:";
    no_dead: "None since this worker started.", "С запуска этого обработчика не было.", "Бұл өңдеуші іске қосылғаннан бері болған жоқ.";

    this_worker: "This page is of one worker; there may be others. Requests, the list’s revision, and what waits are the same for all of them.",
        "Это страница одного обработчика; могут быть и другие. Обращения, ревизия списка и то, что ждёт людей, у всех общие.",
        "Бұл бет бір өңдеушінікі; басқалары да болуы мүмкін. Өтініштер, тізім ревизиясы және адамдарды күтіп тұрғаны бәріне ортақ.";
    worker: "Worker", "Обработчик", "Өңдеуші";
    process: "process", "процесс", "процесс";
    version: "version", "версия", "нұсқасы";
    started: "started", "запущен", "іске қосылды";
    as_of: "As of", "По состоянию на", "Жай-күйі:";
    times_in: "times in", "часовой пояс", "уақыт белдеуі";
    refreshed: "This page renews itself.", "Страница обновляется сама.", "Бет өзі жаңарып тұрады.";
    stop_refresh: "Stop renewing", "Не обновлять", "Жаңартпау";
    not_refreshed: "This page does not renew itself.", "Страница не обновляется.", "Бет жаңармайды.";
    start_refresh: "Renew by itself", "Обновлять", "Жаңартып тұру";
    for_machines: "For machines", "Для программ", "Бағдарламаларға";
}
