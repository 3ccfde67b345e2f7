//! Ways of saying it, by what must come out.

use crate::support::check;

#[test]
fn requests_of_the_policy_in_kazakh_are_opt_outs() {
    check(
        &["opt_out"],
        &[
            "таратылымнан бас тартамын",
            "Жазылымнан бас тартамын.",
            "Тізімнен өшіріңіз",
            "Мені тізімнен шығарыңыз",
            "Тізімнен алып тастаңыз",
            "Хабарлама жібермеңіз",
            "Маған хат жібермеңіз",
            "СМС жібермеңіз",
            "Жарнама жібермеңіздер",
            "жарнама керек емес",
            "Қоңырау шалмаңыз",
            "маған жазбаңыз",
            "Мазаламаңыз",
            "Келісімімді қайтарып аламын",
            "керек емес маған сіздердің жарнамаларыңыз",
            "жіберуді тоқтатыңыз",
            "мазаламаңыздар",
            "тізімнен алып тастаңызшы",
            "рассылкаңыздан шығарыңыз",
            "Сәлеметсіз бе! Мені таратылым тізімінен шығаруыңызды сұраймын.",
            "Хабарламаларыңыз мезі қылды, тоқтатыңыздар",
            "Енді маған ештеңе жібермеңіздерші өтінемін",
            "жарнамаларыңызды қойыңыздаршы",
            "Маған смс жібере бермеңіздерші",
            "рассылкаға қосылмағам, мені алып тастаңыз",
            "Осы рассылкадан қалай шығуға болады?",
            "жарнама алғым келмейді",
            "хаттарыңыз керегі жоқ",
            "Сіздерге жазылған жоқпын, неге хат келеді?",
            "рассылканы тоқтатыңыз",
            "менің номерімді базадан өшіріңіз",
            "жарнамалық хабарламалардан бас тартқым келеді",
            "Маған бұдан былай хат жібермеуіңізді өтінемін",
            "хабарлама келмесін",
            "жазылымды тоқтатыңыз",
            "отписка жасап беріңізші",
            "мени рассылкадан ошириниз",
            "маган смс жибермениз",
            "конырау шалмандар",
            "тізімнен өшіріп тастаңыздар",
        ],
    );
}

#[test]
fn latin_kazakh_is_read_in_every_alphabet() {
    check(
        &["opt_out"],
        &[
            "jazylymnan bas tartamyn",
            "zhazylymnan bas tartamyn",
            "habarlama jibermeniz",
            "xabarlama jibermeñiz",
            "habarlama zhibermengiz",
            "jarnama kerek emes",
            "zharnama kerek emes",
            "tizimnen oshiriniz",
            "tizimnen öşiriñiz",
            "qoñyrau şalmañyz",
            "konyrau shalmanyz",
            "Magan sms jibermenizshi otinem",
            "mazalamañyzdar",
            "taratylymnan shygarynyz",
            "taratylymnan şyğaryñyz",
            "rassylkadan alyp tastanyz",
            "jiberudi toqtatynyz",
        ],
    );
}

#[test]
fn requests_of_the_policy_in_russian_are_opt_outs() {
    check(
        &["opt_out"],
        &[
            "отписаться",
            "Отпишите меня",
            "хочу отписаться",
            "отказываюсь от рассылки",
            "Уберите меня из рассылки",
            "удалите меня из базы",
            "исключите меня из списка рассылки",
            "не присылайте мне ничего",
            "не шлите больше",
            "не пишите мне больше",
            "не звоните",
            "прекратите рассылку",
            "отзываю согласие",
            "не могу отписаться",
            "хватит спамить",
            "отпешите меня",
            "уберите меня из росылки",
            "уберите из росылку",
            "otpishite menya",
            "otpishite",
            "ne prisylayte mne bolshe sms",
            "hochu otpisatsya ot rassylki",
            "Здравствуйте! Прошу исключить мой адрес.",
            "прошу исключить мой адрес из базы рассылок",
            "не хочу получать ваши письма",
            "Больше не присылайте",
            "надоела ваша реклама, уберите",
            "достали с рассылкой",
            "меня нет больше интереса к вашим предложениям",
            "как отписаться?",
            "Как мне отписаться от ваших смс",
            "Как можно отказаться от рассылки?",
            "кнопка отписаться не работает",
            "кнопка отписки не работает",
            "Я никогда не подписывался на вашу рассылку!",
            "Не нужны мне ваши смс",
            "мне не нужна ваша реклама",
            "Перестаньте мне слать эту хрень",
            "ПЕРЕСТАНЬТЕ ПРИСЫЛАТЬ МНЕ РЕКЛАМУ!!!",
            "не надо мне ничего присылать",
            "ненадо мне слать смс",
            "непишите мне",
            "незвоните мне больше",
            "Не хочу чтобы вы мне писали и звонили",
            "сделайте так чтобы мне больше не приходили ваши смс",
            "пусть больше не приходит реклама",
            "Сколько можно слать спам",
            "удалите мой номер",
            "Прошу удалить мой номер телефона из вашей базы данных",
            "отключите рассылку",
            "отмените подписку",
            "снимите меня с рассылки пожалуйста",
            "Запрещаю использовать мой номер для рекламы",
            "оставьте меня в покое",
            "Не беспокойте меня больше",
            "я отписался неделю назад, но письма всё равно приходят",
            "Почему вы меня до сих пор не отписали?",
            "отпишите меня от этой хуйни",
            "заебали со своими смсками",
            "внесите меня в стоп-лист",
            "Я против рассылки",
            "не согласен получать рекламу",
            "отпишитеменяотрассылки",
            "о т п и с а т ь с я",
            "если можно, отпишите меня от рассылки",
            "Если вы не прекратите слать мне смс, я пойду в суд",
            "Прошу вас убрать из рассылки",
            "Получаю от вас письма каждый день. Прошу прекратить это.",
            "можете больше не присылать мне акции?",
            "откажусь от рассылки",
            "Добрый день\nотпишите\nпожалуйста\nспасибо",
            "Прошу удалить\nменя из\nрассылки",
            "никаких рассылок!",
            "не присылаете мне больше рекламу",
        ],
    );
}

#[test]
fn requests_in_english_are_opt_outs() {
    check(
        &["opt_out"],
        &[
            "unsubscribe",
            "Unsubscribe me please",
            "unsubcribe",
            "unsuscribe me",
            "un-subscribe",
            "opt out",
            "opt-out",
            "I want to opt out of your messages",
            "remove me",
            "Please remove me from your list",
            "take me off your mailing list",
            "take my email address off your list",
            "please take me off",
            "stop emailing me",
            "Stop texting me!!",
            "stop calling me",
            "no more emails",
            "No more texts please",
            "I withdraw my consent",
            "I did not sign up for this",
            "how do I unsubscribe?",
            "I can't unsubscribe",
            "the unsubscribe link doesn't work",
            "Don't email me again",
            "do not contact me",
            "Please do not send me any more promotions.",
            "I don't want to receive your newsletter",
            "I no longer wish to receive marketing emails",
            "leave me alone",
            "cancel my subscription",
            "I am not interested in your offers",
            "I would like to be removed from your database",
            "delete my number from your list",
            "I unsubscribed weeks ago but still get emails",
            "enough with the spam",
            "I object to direct marketing",
            "never subscribed to this",
            "stop sending me this shit",
        ],
    );
}

#[test]
fn a_single_word_counts_as_the_whole_message() {
    check(
        &["opt_out"],
        &[
            "СТОП",
            "STOP",
            "стоп!!!",
            "END",
            "QUIT",
            "Remove",
            "отписка",
            "Хватит.",
            "тоқта",
            "Тоқтат",
            "бас тарту",
            "ыещз",
            "jngbcrf",
            "Стоп, пожалуйста",
            "Stop. Thank you",
            "СТОП\nИван",
            "toqta",
            "STOP 🙏",
        ],
    );
    check(
        &["unsure"],
        &[
            "отмена",
            "cancel",
            "отказ",
            "Бас тартамын",
            "удалите",
            "Өшіріңіз",
            "спам",
            "жалоба",
            "шағым",
            "Надоели",
            "надоели!!!",
        ],
    );
    check(
        &["nothing", "unsure"],
        &[
            "Стоп-кран в примерочной сломан?",
            "где остановка? там стоп или нет, как проехать к вашему магазину в субботу",
        ],
    );
}

#[test]
fn other_keyboard_layouts_are_read() {
    check(
        &["opt_out"],
        &[
            "jngbibnt vtyz",
            "jngbcfnmcz",
            "yt ghbcskfqnt vyt ,jkmit hfccskre",
            "e,thbnt vtyz bp hfccskrb",
            "гтыгиыскшиу",
            "гтыгиыскшиу ьу здуфыу",
            "Здравствуйте, jngbibnt vtyz",
            ";fhyfvf rthtr tvtc",
        ],
    );
}

#[test]
fn data_requests_hold() {
    check(
        &["hold"],
        &[
            "деректерімді бұғаттаңыз",
            "Менің деректерімді жойыңыз",
            "удалите мои персональные данные",
            "Прошу удалить все мои данные",
            "заблокируйте данные",
            "отзываю согласие на обработку персональных данных",
            "Дербес деректерімді өңдеуге келісімімді қайтарып аламын",
            "I withdraw my consent to the processing of my personal data",
            "please delete my personal data",
            "erase all my data",
            "удалите мой аккаунт",
            "прекратите обработку моих данных",
            "derekterimdi joiynyz",
        ],
    );
}

#[test]
fn requests_that_a_person_answers_go_to_review() {
    check(
        &["review"],
        &[
            "Какие данные обо мне вы храните?",
            "откуда у вас мой номер?",
            "Where did you get my email?",
            "Что за хамство на кассе! Жалоба на продавца в вашем магазине",
            "у меня сменился номер телефона, новый номер 87012223344, поменяйте пожалуйста",
            "I changed my phone number, please update it",
            "нөмірім өзгерді, жаңа нөмірім 87011234567",
            "Шағымым бар: сатушы дөрекі сөйледі",
            "What data do you have about me?",
            "Мен туралы қандай деректер сақтайсыздар?",
            "Please send me a copy of my personal data",
        ],
    );
}

#[test]
fn other_matters_are_nothing() {
    check(
        &["nothing"],
        &[
            "Отпишитесь, когда будет готово",
            "Отпишись как приедешь",
            "Тапсырыстан бас тартамын",
            "отказ от заказа",
            "Хочу отказаться от заказа 123",
            "Отмените заказ пожалуйста",
            "бас тартпаймын",
            "не отписывайте меня",
            "Пожалуйста, не удаляйте меня из рассылки",
            "don't unsubscribe me",
            "Please do not remove me from the list",
            "Как подписаться на рассылку?",
            "How can I subscribe to your newsletter?",
            "Рассылкаға қалай жазылуға болады?",
            "Здравствуйте, когда придёт мой заказ 45?",
            "Спасибо!",
            "Рақмет, тапсырысты алдым",
            "Сколько стоит доставка в Алматы?",
            "Do you deliver to Shymkent?",
            "Почему не приходит смс с кодом?",
            "Мне не пришёл чек",
            "Не присылайте курьера сегодня",
            "не отправляйте заказ до пятницы",
            "Тауарды қайтарғым келеді",
            "I want to return an item, please send me a label",
            "Подпишите меня на рассылку",
            "не хочу отписываться, всё нравится",
            "Жазылымнан шығармаңыз",
            "мені тізімнен өшірмеңіз",
            "Опишите, пожалуйста, товар подробнее",
            "Посылка не пришла, где она?",
            "Ваши письма попадают в спам, как исправить?",
            "Предлагаем вам сотрудничество. Чтобы отписаться, нажмите на ссылку",
            "Отмена заказа, верните деньги",
            "Cancel my order please",
            "I did not receive the confirmation email for my order",
            "тапсырысымнан бас тартқым келеді",
            "Здравствуйте, я не получил письмо с подтверждением заказа",
            "👍",
        ],
    );
}

#[test]
fn doubts_are_left_to_a_person() {
    check(
        &["unsure"],
        &[
            "Si prega di cancellarmi dalla vostra lista, grazie mille e arrivederci",
            "Bitte löschen Sie meine Adresse aus dem Verteiler",
            "请把我从名单中删除",
            "",
            "Что будет с бонусами, если отписаться?",
            "это спам",
        ],
    );
}
