"""What people write, and what it must be taken for: tables per language, then the properties of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.catalogue import language_files
from ivr.content import Source
from ivr.lexicon import LABELS, STRONG, TOPICS, WEAK, Line, load_lexicon
from ivr.model import KINDS
from ivr.understanding import Understanding, taught, understand

ROOT = Path(__file__).parent.parent
SOURCE = Source(ROOT / "content", ROOT / "locales")
FILES = language_files(SOURCE, "phrases.txt")
LEXICON = taught(load_lexicon(FILES), language_files(SOURCE, "examples.txt"))

# One text a line below its intent; `a/b` where either is right.
ENGLISH = """
urgent:
  please my mum cant breath properly and shes gone a funny colour
  he's breathing really slowly and i can't get him to wake
  my husband is very sleepy and I can not wake him up
  shes not responding to me at all
  my grandad took his baclofen twice by accident
  I think my son swallowed some of my tablets
  toddler got into my baclofen what do i do
  my 3 year old ate 2 baclofen pills
  i took 12 tablets last night
  i have taken ten baclofen
  took way too much baclofen
  took 8 instead of 2
  my tongue feels thick and my lips are swelling
  face is all puffed up after the new tablet
  throat is closing
  my wife is having a seizure
  he started convulsing a minute ago
  she keeps twitching all over and wont stop
  mum is seeing spiders that arent there
  my dad is talking to people who are not in the room
  he doesn't know where he is or who I am
  very confused since yesterday, doesnt recognise me
  ran out of baclofen 2 days ago now burning up and shaking
  stopped my tablets on monday and now i have fever and stiff legs
  havent had my meds for 3 days im shaking and sweating badly
  since i stopped taking it im seeing things
  pump is making a beeping noise
  the pump alarm keeps going off
  my pump is beeping and I feel itchy all over
  i have a baclofen pump and my legs are getting really stiff with a fever
  I don't want to be alive any more
  everyone would be better off if i was dead
  thinking about ending my life
  my sister says she wants to kill herself
  i cant pee at all since this morning
  his heart is beating very slowly
  chest pain and cant catch my breath
  she fainted and is not waking
  he just collapsed
  my baby is floppy
  EMERGENCY
  help me please
  call an ambulance
  is she dying her lips are blue
  overdose
  0verd0se
  what should i do my kid swallowed one of grandmas pills
  can you die from this my brother took the whole packet
  HELP HE CANT BREATH!!!!
  hi good morning i am taking baclofen for my ms since 2015 and today my wife found me on the floor unconscious
  my daughter drank the whole bottle of her liquid baclofen
  siezure right now
  my mother has been asleep since yesterday and only groans
  skin rash and my throat feels tight
  i swallowed all my pills
  doubled my dose by mistake and now cant stay awake
  pump refill missed and now fever and itching
  my legs are jerking like crazy since the pump stopped working
  he is hearing voices telling him to hurt people
  she is burning up and stiff as a board
  gave my child two doses by mistake
  ate a bunch of pills
  my boy is limp
  he wont answer me hes just staring
  is going blue
  cant breathe lol help
  I'm having trouble breathing right now
  im gonna end it tonight
uses:
  what's this stuff for
  why did the doc give me baclofen
  what is baclofen used for
  what does baclofen do
  is it a painkiller or what
  USES
  wat is dis medicine 4
  which illness is this medicine for
  tell me about baclofen
  how does it work in the body
  baclofen
  is this a muscle relaxer/uses/benefits
benefits:
  does it help with spasms
  will baclofen help my leg cramps
  how long before it starts working
  BENEFITS
  what good will it do me
  does it actually work
  will it make walking easier/benefits/side_effects
  how quickly does baclofen work
  ive been on it a week and feel no difference
  can it cure ms
  does it relieve stiffness
side_effects:
  SIDE EFFECTS
  i feel so sleepy on this
  does it make you tired
  is it normal to feel dizzy
  my head hurts after taking it
  feeling sick since i started the pills
  what are the side affects of baclofen
  will it make me gain weight
  can it upset my stomach
  i get nauseous from it
  my legs feel weak on this medicine
  blurry vision from baclofen?
  is it addictive/side_effects/uses/warnings
  feel like im drunk all day
  it makes my mouth dry
  is dizziness common
dosage:
  how many should i take
  what time of day do i take it
  can i take it with food
  i forgot my morning dose
  missed a dose what now
  how often
  DOSAGE
  can i split the tablet
  do i take it before or after meals
  should i double up if i missed one
  how do i take baclofen
  what is the max dose
  can i crush the pills and put it in juice
  took it 3 hours late
  when is my pump refill due
warnings:
  can i drink beer with it
  is it safe in pregnancy
  am i ok to drive
  im breastfeeding
  can i take ibuprofen with it
  i have kidney disease can i take it
  WARNINGS
  is it safe with my blood pressure tablets
  can my 80 year old mother take it/warnings
  what should I avoid
  i have epilepsy is it ok
  mixing with weed
  who shouldnt take baclofen
  can i have wine
stopping:
  can i stop taking it
  how do i come off baclofen
  want to quit the pills
  stop my medicine
  stop baclofen
  what happens if i stop suddenly
  i ran out of pills
  i cant afford my tablets
  pharmacy has no baclofen
  do i need to wean off
  stopping
  RUN OUT
  is cold turkey dangerous/stopping/side_effects
  i dont want to take it anymore
  only 2 tablets left
  can i just cancel my prescription
  I feel better now can i quit
menu:
  MENU
  start
  Hello
  hi there
  HELP
  info please
  #
  yes
  UNSTOP
  good morning
language:
  LANGUAGE
  spanish
  in french please
  change language
  9
  do you speak hindi
more:
  MORE
  more please
  next
  7
  tell me more
stop:
  STOP
  Stop.
  Stop. Thank you
  unsubscribe
  QUIT
  please stop texting me
  no more messages
  stop sending me messages
call_me:
  8
  CALL
  cal me
  please call me back
report:
  REPORT
  I want to report a side effect
country:
  COUNTRY KENYA
  country south africa
unknown:
  ok
  lol
  thanks
  see u at 5
  what is the capital of france
  can you order me a pizza
  my dog is cute
  who is the president
  happy new year
  i love you
  asdfgh
  the meeting is moved to friday
"""

# Frightening words, no emergency.
ENGLISH_HARD = """
side_effects/warnings/unknown:
  can baclofen cause seizures?
  does it cause hallucinations
  what are the chances of an allergic reaction
  could this make me stop breathing
  is confusion a side effect
  I read that it can cause breathing problems, is that true
  does baclofen make people suicidal
  is there a risk of a fit
  can it cause fainting
  will it make my heart slow
  are hallucinations common
  does it cause swelling of the face
stopping/side_effects:
  what are the symptoms of withdrawal
  can stopping cause seizures
  what happens if you stop suddenly, do you get fits
warnings:
  i have epilepsy, can i take baclofen
  my son has epilepsy is it safe for him
  i had a seizure ten years ago can i take this
  can you overdose on baclofen/warnings/dosage/side_effects/unknown
dosage:
  what if i miss a dose
  what if I forget my tablet
  i take 2 tablets 3 times a day is that too much
  i took my tablet an hour late
  my son takes 5 mg three times a day, with food?
  took 2 pills this morning as prescribed, when is the next/dosage/unknown
  what if i take two by accident/dosage
unknown:
  my neighbour died last year
  my grandpa passed away in 2019
  lol im dying
  this heat is killing me
  this traffic is killing me
  my phone is dead
  i nearly had a heart attack when i saw the price
  that song is to die for
  emergency meeting at work tomorrow
  its not an emergency
  congratulations you have won a prize call now
  my battery is dying
  she threw a fit about the dress
  i'm fit and well thanks
  my daughter ate her breakfast
  took my son to school
  the fire alarm went off at work
  i could kill for a burger
  im so tired i could die/unknown/side_effects
  he took too long to reply
  does the shirt fit
  i am drowning in homework
  dying to see you
  i was choking with laughter haha
  the kids ate all the cake
  we had too many people at the party
  poison ivy in the garden
  watch out for the bugs on the wall in that game
uses/benefits/unknown:
  no seizures just spasms does it help
  can you help me choose a phone
  is baclofen used for seizures/uses/benefits/side_effects/warnings
  does it stop my stiffness
"""

SPANISH = """
urgent:
  mi mamá no puede respirar bien
  no respira
  le cuesta respirar y esta morada
  mi esposo no despierta
  no logro despertar a mi abuela
  mi hijo se tragó unas pastillas mias
  la niña se tomo mi baclofeno
  me tome 10 pastillas
  tomé demasiado baclofeno
  se tomo todas las pastillas
  tome dos dosis por error
  se me hincho la lengua
  tengo la cara hinchada y me falta el aire
  mi hermano tiene convulsiones ahora
  le dio un ataque y esta temblando todo
  mi papa ve cosas que no existen
  oye voces desde que dejo la medicina
  esta muy confundida y no me reconoce
  se me acabo el baclofeno y tengo fiebre y temblores
  deje las pastillas hace dos dias y estoy rigido y con fiebre
  llevo tres dias sin tomar y sudo y tiemblo mucho
  la bomba esta pitando
  mi bomba suena y tengo comezon
  no quiero vivir mas
  me quiero morir
  mi amiga dice que se va a matar
  no puedo orinar
  el corazon le late muy lento
  se desmayo y no responde
  mi bebe esta flacido
  emergencia
  AYUDENME
  llamen una ambulancia
  sobredosis
  que hago mi nieto se comio una de mis pastillas
  auxilio mi marido se muere
  buenas tardes mi papa toma baclofeno hace años y hoy amanecio inconsciente
  esta ardiendo en fiebre y tieso
  tiene los labios azules
  dolor en el pecho y no puedo respirar
  encontre la caja vacia y mi hermana esta dormida y no despierta
  se cayo y no reacciona
  ta convulcionando
  no abre los ojos
uses:
  para que es el baclofeno
  pa que sirve
  que enfermedad cura esto
  USOS
  por que me dieron baclofeno
  es un analgesico?
  informacion del baclofeno
  que es baclofeno
  como funciona este medicamento
benefits:
  me va a ayudar con los espasmos
  sirve para los calambres/benefits/uses
  cuanto tarda en hacer efecto
  BENEFICIOS
  de verdad funciona
  no me hace nada
  mejora la rigidez
  voy a poder caminar mejor
side_effects:
  EFECTOS SECUNDARIOS
  me da mucho sueño
  estoy mareado por la pastilla
  es normal sentirse cansado
  que efectos tiene
  me duele la cabeza desde que lo tomo
  engorda?
  tengo nauseas con esta medicina
  me siento como borracho
  da sueño el baclofeno
  se me seca la boca
dosage:
  cuantas pastillas tomo
  a que hora la tomo
  con comida o sin comida
  se me olvidó la pastilla de la mañana
  cada cuanto
  DOSIS
  puedo partir la pastilla
  cual es la dosis maxima
  si olvido una dosis tomo doble
  como se toma el baclofeno
warnings:
  puedo tomar cerveza
  estoy embarazada
  puedo manejar
  lo puedo tomar con ibuprofeno
  tengo problemas del riñon
  ADVERTENCIAS
  es seguro con pastillas de la presion
  quien no debe tomarlo
  que debo evitar
  puedo beber vino
stopping:
  puedo dejar de tomarlo
  como dejo el baclofeno
  quiero dejar las pastillas
  se me acabaron las pastillas
  que pasa si lo dejo de golpe
  ya no quiero tomarla
  no tengo dinero para la medicina
  la farmacia no tiene baclofeno
  parar el tratamiento
  me quedan dos pastillas/stopping
menu:
  MENÚ
  hola
  ayuda
  buenos días
  info
language:
  IDIOMA
  frances
  en ingles por favor
  cambiar de idioma
more:
  más
  siguiente
  dime mas
stop:
  CANCELAR
  baja
  no más mensajes
  dejen de mandarme mensajes
report:
  quiero reportar un efecto secundario
country:
  PAIS MEXICO
unknown:
  jaja
  gracias
  nos vemos a las 5
  cual es la capital de francia
  te quiero mucho
  mi perro es lindo
  feliz año nuevo
  quiero una pizza
  la junta se cambio al viernes
"""

SPANISH_HARD = """
side_effects/warnings/unknown:
  el baclofeno puede causar convulsiones?
  da alucinaciones?
  puede provocar problemas para respirar
  hay riesgo de un ataque
  la confusion es un efecto secundario?
  puede hacer que me desmaye
  lei que puede dar ideas suicidas
stopping/side_effects:
  que pasa si lo dejo de repente, dan convulsiones?
  cuales son los sintomas de abstinencia
warnings:
  tengo epilepsia puedo tomarlo
  tuve convulsiones de niño puedo tomar baclofeno
  mi hijo tiene epilepsia es seguro
dosage:
  que pasa si olvido una dosis
  tomo 2 pastillas tres veces al dia
  mi hijo toma 5 mg cada 8 horas, con comida?
  tome la pastilla una hora tarde
unknown:
  mi vecino murio el año pasado
  me muero de risa
  me muero de hambre
  se murio mi celular
  este calor me mata
  ganaste un premio llama ya
  no es una emergencia
  casi me da un infarto cuando vi el precio
  tome el autobus con mi hijo
  mi hijo comio todo su desayuno
  hubo un temblor en la ciudad
  que ataque de risa jaja
  la alarma del coche no para
  estoy ahogado en trabajo
uses/benefits/unknown/side_effects:
  sirve para las convulsiones?
"""

# Written after the phrases, without looking at them; what they showed has since been mended.
ENGLISH_LATER = """
urgent:
  my brother can't stop vomiting after taking a load of baclofen
  she took her whole months supply
  nephew found my tablets and ate two
  we think the toddler had one of his grandads pills
  my patient is barely breathing
  I can only take tiny breaths
  his breaths are far apart
  she sounds like she is snoring and i cannot rouse her
  he keeps drifting off and i cant keep him awake
  my neck and lips are ballooning
  my wife is covered in hives and wheezing
  he's on the floor jerking
  body went rigid then started shaking
  shes staring and drooling and not answering
  my husband thinks there are men in the garden
  the walls are talking to me
  mum is hallucinating
  grandad woke up and has no idea who we are
  he's acting really strange and aggressive since his dose went up
  i dont want to wake up tomorrow
  life isn't worth it anymore
  going to take all my tablets tonight
  no wee since yesterday and belly hurts
  slow pulse and feels cold
  i feel like i'm going to pass out
  ran out of the pump medicine and im itching like mad
  beeping coming from my tummy pump
  high temp and muscles like rock since i missed my tablets
  stopped taking it on tuesday and had a seizure today
  off my pills for 4 days, sweating buckets and seeing stuff
  accidently took 3 at once
  gave grandma her pills twice
  mixed up my pills and took 80mg baclofen
  someone put a bunch of baclofen in my drink
  my dog ate my baclofen/urgent/unknown
  she drank the liquid baclofen thinking it was juice
  cannot feel or move my legs suddenly
  he is unresponsve
  pls hurry my son wont wake
  Hello. My father is 70 and takes baclofen. Today he became confused. What should I do?
uses:
  why do doctors give it
  baclofen is for what
  what's the medicine about
  does it treat back pain
  whats it do to your body
benefits:
  does baclofen loosen muscles
  will i feel less stiff
  how fast will i notice a change
  is there any point taking it
side_effects:
  baclofen and tiredness
  since the new tablets my legs give way
  it knocks me out
  whats the worst that can happen taking it
  i get a headache every time i take it
  my husband is moody since baclofen
dosage:
  am i taking too much at 60mg a day
  missed this mornings one
  what hour should i take it
  can i chew it
  how is the dose decided
  took it late today ok?
warnings:
  beer and baclofen
  can i take it before surgery
  planning a pregnancy
  baclofen with antidepressants
  who cant use it
  can i drive a tractor
stopping:
  how to get off baclofen
  my supply is running out
  doctor on holiday and no tablets left
  is it ok to stop now the pain is gone
  i threw my tablets away
  fed up with these pills
unknown:
  cheers
  i live in nairobi
  did he call you
  whats 2 plus 2
  my sister had a baby boy today
urgent:
  my nan is making gurgling noises and her chest isnt moving
  hubby's lips look purple
  I feel like I'm suffocating
  daughter had 6 of her brothers tablets
  my little boy was playing with my pill box and some are gone
  husband drank beer and took like fifteen of them
  she emptied the packet
  i think ive had more than i should have and feel really drowsy
  my mate took loads of baclofen to get high and wont wake up
  found mum on the floor not responding
  dads eyes are rolling back
  my partner has gone stiff and is jerking
  shes having some kind of fit right now
  hes shouting at people who arent here
  there are insects crawling all over me that nobody else can see
  grandma thinks its 1960 and doesnt know us since this morning
  no baclofen for four days and hes hot, rigid and shaking
  my prescription ran out, now im sweating and my muscles are locked
  the hospital stopped his baclofen and he has a high temperature and is confused
  my implanted pump is beeping every few minutes
  alarm from my baclofen pump
  two tone alarm on pump
  i want it all to be over i dont want to live
  she took pills because she wanted to die
  my friend texted me that she is going to kill herself
  I havent been able to pee for 20 hours
  pulse is only 38
  my heart is going really slow and i feel faint
  baby ate a pill off the floor
  the kid chewed a tablet
  he was given the wrong medicine, 5 times the dose
  accidentally took my dose twice
  i took two doses together by accident
  hives and my throat is tight
  his face blew up like a balloon
  my eyes are swollen shut after the first pill
  cannot swallow and my tongue is huge
  is it ok that he cant be woken up
  can you tell me what to do my wife stopped breathing
  URGENT
  urgent help needed
  sos
  i need an ambulance
  someone help my dad is unconscious
  passed out twice this morning
  she collapsed in the kitchen
  he keeps blacking out
  hi i have ms and take 10mg three times a day, this morning my daughter says i was shaking all over
  hearing voices since my dose was changed
  I took 40 mg instead of 10 by mistake/urgent/dosage
  he swallowd lots of tablets
  cant breth help
  unconsious after taking pills
  she is not breething
  im od'ing
  hallucinatng bad
  took 20 of my muscle relaxers
  wife is blue
  my son is not waking up for school he took something
  too weak to breathe
  i stopped the baclofen cold turkey and now i see things
uses:
  what does this med treat
  whats baclofen
  doctor gave me baclofen no idea why
  purpose of this drug
  why am i on this
  what are these tablets for
  explain what this medicine is
  is it for multiple sclerosis
benefits:
  will my legs loosen up
  does it take away the cramps
  how long till i feel something
  is baclofen effective
  does it do any good
  what are the advantages
  my spasms are still bad after a week is that normal/benefits/side_effects
  when will it kick in
  is it helpful for stiffness
side_effects:
  this med makes me a zombie
  feeling really woozy on it
  i keep getting headaches with baclofen
  is tiredness normal
  i been throwing up since i took it
  whats the bad stuff about it
  SIDE EFECTS
  my tummy is upset from the pills
  does it mess with your sleep
  will i put on weight
  constipated since starting baclofen
  can baclofen affect my mood
  cant sleep since i started it
  is it bad for you long term
  the tablets give me nightmares
  swollen ankles from it?
  sleepy
  dizzy
dosage:
  how much baclofen can i have a day
  do i swallow it whole
  whats the right dose
  i slept through my dose
  can i take 2 at once
  can i take it at night only
  when should I take my pills
  is 30 mg a lot
  whats the usual amount
  i forgot whether i took it this morning
  can i skip a day/dosage/stopping
  how many mg
  best time to take baclofen
  late with my pill by an hour
  how do they refill the pump
warnings:
  is a glass of wine ok
  can I drink on baclofen
  trying for a baby on baclofen
  pregnant
  can i drive to work on this
  does it mix with gabapentin
  is it ok with my heart pills
  my kidneys are bad is it safe
  I take tramadol too
  can old people take it
  is it safe for a 4 year old child
  any precautions
  i am diabetic
  operating heavy machinery
  can i smoke weed with this
  what if i have asthma
stopping:
  how can i get off these tablets
  i want to stop
  is it safe to just stop
  dont want to be on it any longer
  fed up of taking baclofen can i give up
  i'm out of tablets
  nearly out of baclofen what do i do
  lost my pills on holiday
  cant get to the pharmacy and have none left
  do i have to reduce slowly
  finish the course?
  my doctor wants me off baclofen
  coming off
  should i stop before my operation/stopping/warnings
  is there withdrawal
  end my tablets
  i quit smoking, can i quit baclofen too
unknown:
  good night
  what's the weather
  i miss you
  can you lend me some money
  see you there
  who won
  hahaha
  k
  wrong person sorry/unknown/stop
  how are you
  my car broke down
  lets go to the cinema
  buy milk
  what is your name/unknown/menu
  whats for dinner
  i am at the bank
  please call me back/call_me
urgent:
  my chest feels like its being crushed and i cant get enough air
  uncle is breathing but only a few times a minute
  her fingers and mouth have turned blue
  lips tingling and getting bigger
  throat feels like its closing after the tablet
  he had a fit this morning and another one now
  she's shaking and foaming
  cant get any response from my sister
  my roommate is out cold and i found an empty bottle of baclofen
  nana is so drowsy we can barely wake her
  my 2 yr old put a tablet in her mouth
  grandson ate my muscle relaxer
  my daughter (4) swallowed maybe 3 tablets
  the baby sucked on a baclofen pill
  i messed up and took 60mg more than i should
  took 3 tablets instead of 1
  I've taken an overdose
  i took all of my baclofen at once
  he drank a bottle of vodka with 20 baclofen
  my mom sees dead relatives in the room
  dad is pulling at invisible things and talking rubbish
  she's really muddled and can't tell us what day it is
  i feel like ending things
  don't see the point in living
  my brother said goodbye to everyone and locked himself in with his pills
  i cut myself and want to die
  haven't been able to urinate since last night
  ran out 2 days ago and im burning hot and twitching
  no tablets since friday and now seeing shadows
  since missing my doses my whole body is rigid
  came off it too fast and now I have a fever
  pump keeps beeping should i worry
  my baclofen pump alarm is sounding
  pump was due for refill last week and now my legs are in terrible spasm and i itch
  heart rate 38
  my heart feels like its stopping
  he's fallen unconscious
  shes gone all floppy
  he just passed out in the shower
  I need help now
  this is an emergency
  get me an ambulance
  is 25 tablets enough to kill me
  i think im having an allergic reaction my face is swelling
  eyes puffed up and hard to swallow
  wont open her eyes
  my wife took ten baclofen and is slurring
  accidentally gave my kid a double dose
  my son is turning grey
  he is unrousable
  I've been vomiting for a day and can't keep my baclofen down, now I'm shaking
  ive got withdrawal symptoms sweating and hallucinations
  can not breath
  struggeling to breath
  he's siezing
  she colapsed
  suiside
uses:
  what's baclofen good for
  what is it supposed to do
  which conditions is baclofen given for
  my GP prescribed this, what does it do
  what type of tablet is this
  is baclofen for nerve pain
  tell me more about baclofen
benefits:
  how long does baclofen take to work
  will it ease the tightness
  does baclofen really help
  is it supposed to stop the jerks in my legs/benefits/uses/stopping
  will i be able to walk properly again
  what improvement can i expect
  i dont think its working
side_effects:
  baclofen makes me sleepy
  what problems can it cause
  my mouth is so dry since i started
  woke up with a pounding head after my dose/side_effects/dosage
  is feeling weak normal
  does it make you gain weight
  any nasty effects
  i feel dizzy when i stand up
  i am itching from the tablets
  cant concentrate since i started taking this
  i feel low since starting baclofen
  my stomach hurts
dosage:
  can i have it with milk
  how many times a day do i take it
  i missed my tablet yesterday
  do i need to eat first
  can the tablets be crushed
  how many hours between doses
  forgot my lunchtime pill should i take it now
  whats the highest dose
  what dose should my mother take/dosage/warnings
  is it ok to take 2 together/dosage/warnings
  do i take it morning or evening
warnings:
  can i have a beer
  im 6 months pregnant
  does it affect driving
  can i take paracetamol as well
  i'm on blood pressure medication
  is baclofen safe for kidney patients
  can my child take baclofen
  i take sleeping tablets too is that ok
  can i breastfeed
  is it dangerous with alcohol
stopping:
  how do i stop baclofen safely
  can i just stop
  i wanna come off this stuff
  my tablets are finished
  running low on baclofen
  is it bad to quit suddenly/stopping/side_effects
  the chemist is out of stock
  no money to buy more
  i want to quit
  stop the tablets
  should i cancel my baclofen
  do you have to taper it
  i stopped taking it last week
stop:
  stop please
  STOPALL
  dont text me anymore
  take me off this list
unknown:
  hmm
  nice
  see ya
  what is love
  call me/call_me
  my flight is delayed
  how much is a taxi to town
  do you like music
  im watching tv
  who are you voting for
"""

ENGLISH_HARD_LATER = """
unknown:
  could it make me faint/side_effects
  does it slow your breathing/side_effects
  my nephew has fits, could baclofen help/benefits/warnings/uses/side_effects
  our dog died yesterday/unknown
  i'm drowning in bills/unknown
  gonna kill my brother he ate my pizza lol/unknown
  this app keeps crashing/unknown
  she took 5 selfies/unknown
  he swallowed his words/unknown
  does stopping it give hallucinations/stopping/side_effects
  my mate overdosed two years ago/unknown
  are seizures listed in the leaflet/side_effects
  my dad passed away after a stroke in 2012/unknown
  is it true that you can get hallucinations from it/side_effects
  ive got epilepsy since i was 6 can i use baclofen/warnings
  could it give my son fits/side_effects/warnings
  does withdrawal cause fever/stopping/side_effects
  in case of overdose what are the signs/side_effects/dosage/warnings/unknown
  what would happen if a child took one/urgent/warnings/side_effects
  i used to be suicidal years ago, is baclofen ok for me/warnings/side_effects
  can you get confused on it/side_effects
  how likely is swelling/side_effects
  omg this show is killing me/unknown
  my boss is having a fit about the report lol/unknown
  the baby took her first steps/unknown
  my kid took the last cookie/unknown
  i swallowed my pride/unknown
  the pump at the gas station is broken/unknown
  my alarm didnt ring this morning/unknown
  breathing exercises are relaxing/unknown
  i died laughing/unknown
  he died in the movie/unknown
  we saw a car accident but everyone is fine/unknown
  emergency exit is on the left/unknown
  win 500 dollars now click www.x.co/unknown
  no fever, no confusion, just tired/side_effects/unknown
  he has not had a seizure in years/unknown/warnings
  is drowsiness dangerous/side_effects/warnings
  took my tablet with 4 glasses of water/dosage/unknown
  took 10 mg this morning can i take another/dosage
  took it 5 minutes ago when will it work/benefits/dosage
  stopped raining finally, so hot today/unknown
  my son takes baclofen and drank milk with it/dosage/warnings/unknown
  ran out of milk/unknown
  i have run out of patience/unknown
  out of breath after the gym lol/unknown
  shaking with excitement/unknown
  the stiffness came back, can i have more/dosage/benefits/side_effects
  i'm worried about seizures/side_effects
  seizures?/side_effects/unknown
  will the pump help my stiffness/benefits/dosage/uses
  my daughter ate too much candy/unknown
  could baclofen make me see things/side_effects
  do people die from baclofen/side_effects/warnings/dosage/unknown
  is trouble breathing a known side effect/side_effects
  my aunt died of cancer in june/unknown
  my brother had seizures as a kid, is baclofen safe for him/warnings
  if someone overdoses what happens/side_effects/dosage/warnings/unknown
  im starving to death lol/unknown
  you scared the life out of me/unknown
  i laughed so hard i couldnt breathe/unknown
  my computer crashed and died/unknown
  my team is getting killed out there/unknown
  does baclofen lower your heart rate/side_effects
  i fainted once in school years ago/unknown/side_effects/warnings
  this exam is suicide haha/unknown
  whats the chance of hallucinating/side_effects
  the doctor asked if i have suicidal thoughts, i dont/unknown/side_effects
  i dont have any swelling/side_effects/unknown
  he took the last two tickets/unknown
  took 2 paracetamol for my headache, ok with baclofen?/warnings
  i take six tablets a day/dosage/unknown
  my daughter got into university/unknown
  kids got into the cookie jar/unknown
  is withdrawal dangerous/stopping/side_effects
  confused about when to take it/dosage
  what if my pump alarm goes off one day/urgent/dosage/unknown/side_effects
  had a bad dream that i was choking/unknown/side_effects
  free entry! win a prize now urgent reply/unknown
"""

SPANISH_LATER = """
urgent:
  mi hermano no para de vomitar despues de tomarse un monton de baclofeno
  se tomo las pastillas de todo el mes
  mi sobrino encontro mis tabletas y se comio dos
  respira muy poquito
  solo puedo respirar cortito
  suena como que ronca y no la puedo despertar
  se me queda dormido y no lo puedo mantener despierto
  se le estan inflando los labios y el cuello
  mi esposa esta llena de ronchas y le silba el pecho
  esta en el piso sacudiendose
  esta mirando fijo y babeando y no contesta
  mi esposo cree que hay hombres en el jardin
  las paredes me hablan
  mi abuelo no sabe quienes somos
  no quiero despertar mañana
  la vida ya no vale la pena
  hoy me voy a tomar todas las pastillas
  no hace pipi desde ayer y le duele la panza
  tiene el pulso lento y esta frio
  siento que me voy a desmayar
  me pita la bomba en la panza
  fiebre alta y los musculos como piedra desde que no tomo las pastillas
  deje de tomarlo el martes y hoy convulsione
  me tome tres juntas por error
  le di dos veces las pastillas a mi abuela
  se bebio el baclofeno liquido pensando que era jugo
  de repente no puedo mover las piernas
  rapido por favor mi hijo no despierta
  Buenas tardes, mi papa de 70 años toma baclofeno y hoy amanecio confundido y no se puede parar, que hago?
uses:
  por que lo dan los doctores
  el baclofeno es para que
  sirve para el dolor de espalda/uses/benefits
benefits:
  afloja los musculos
  que tan rapido se nota
side_effects:
  me noquea
  cada vez que la tomo me duele la cabeza
  mi esposo anda de mal humor desde el baclofeno
  baclofeno y cansancio
dosage:
  me falto la de la mañana
  la puedo masticar
  60 mg al dia es mucho
warnings:
  cerveza y baclofeno
  quiero embarazarme
  con antidepresivos se puede
stopping:
  como quitarme el baclofeno
  el doctor esta de vacaciones y no tengo pastillas
  tire mis pastillas
  estoy harta de estas pastillas
unknown:
  saludos a todos
  vivo en lima/unknown/country
  te llamo luego
urgent:
  mi abuela hace ruidos raros y el pecho no se le mueve
  tiene los labios morados
  siento que me asfixio
  mi hija se tomó 6 tabletas de su hermano
  el niño jugaba con mi frasco y faltan pastillas
  mi marido tomo cerveza y como quince pastillas
  se acabó todo el blister de una vez
  creo que tomé de más y estoy muy adormecido
  encontré a mi mamá en el piso y no responde
  a mi papa se le van los ojos para atras
  se puso tiesa y se sacude
  le esta dando una convulsion
  grita a gente que no esta
  siento bichos en la piel que nadie mas ve
  mi abuela no sabe en que año estamos ni nos reconoce desde la mañana
  cuatro dias sin baclofeno y esta caliente, rigido y temblando
  se acabo la receta y ahora sudo y tengo los musculos duros
  en el hospital le suspendieron el baclofeno y tiene fiebre
  mi bomba implantada pita cada rato
  alarma de la bomba de baclofeno
  ya no quiero estar en este mundo
  se tomo las pastillas porque queria morir
  mi amiga dice que se va a quitar la vida
  llevo 20 horas sin poder orinar
  el pulso esta en 38
  mi bebe se comio una pastilla del suelo
  le dieron cinco veces la dosis
  me tome la dosis dos veces sin querer
  ronchas y la garganta cerrada
  se le puso la cara como globo
  no puede tragar y tiene la lengua enorme
  URGENTE
  ayuda urgente
  necesito una ambulancia
  alguien ayude mi papa esta inconsciente
  se desmayó dos veces
  mi hermano tomo muchas pastillas
  no pude despertarla
  trago pastillas mi bebe
  tengo alucinaciones muy fuertes
  tome 20 relajantes musculares
  mi esposa esta azul
  deje de golpe el baclofeno y veo cosas
  mi hijo agarro el jarabe y se lo tomo
  muy confundido desde ayer mi papá
uses:
  para qué me sirve esta pastilla
  que es este medicamento
  el doctor me dio baclofeno no se por que
  para que se usa el baclofeno
  es para la esclerosis multiple
  por que estoy tomando esto
benefits:
  se me van a aflojar las piernas
  quita los calambres
  en cuanto tiempo hace efecto
  es efectivo el baclofeno
  que ventajas tiene
  ayuda con la rigidez
  cuando voy a sentir mejoria
side_effects:
  esta medicina me deja como zombi
  me mareo mucho
  me dan dolores de cabeza con el baclofeno
  es normal el cansancio
  vomito desde que la tomo
  que cosas malas tiene
  me cae pesado al estomago
  voy a engordar
  estoy estreñida desde que empece
  no puedo dormir desde que lo tomo
  hace daño a largo plazo
  tengo pesadillas por las pastillas
  mareos
dosage:
  cuanto baclofeno puedo tomar al dia
  la trago entera
  cual es la dosis correcta
  me quede dormido y no tome mi dosis
  puedo tomar 2 juntas
  solo de noche puedo tomarla
  es mucho 30 mg
  no me acuerdo si la tome hoy
  a que hora es mejor
  me atrase una hora con la pastilla
warnings:
  puedo tomar una copa de vino
  se puede beber alcohol
  estoy buscando un bebe y tomo baclofeno
  embarazada
  puedo conducir
  se puede con gabapentina
  tengo mal los riñones
  tomo tramadol tambien
  pueden tomarlo los ancianos
  soy diabetico
  fumar marihuana con esto
stopping:
  como salgo de estas pastillas
  quiero parar
  quiero dejarlo
  ya me canse de tomar baclofeno
  estoy sin pastillas
  casi se me acaba el baclofeno que hago
  perdi mis pastillas en el viaje
  tengo que reducir poco a poco
  mi doctor quiere quitarme el baclofeno
  hay abstinencia
  suspender
unknown:
  buenas noches amor/unknown/menu
  que clima hace
  te extraño
  me prestas dinero
  quien gano
  jajaja
  como estas
  se descompuso mi carro
  vamos al cine
  compra leche
  que hay de cenar
  estoy en el banco
  llamame por favor/call_me
urgent:
  siento el pecho aplastado y no me entra el aire
  mi tio respira solo unas pocas veces por minuto
  tiene la boca y los dedos morados
  se me estan hinchando los labios
  siento que se me cierra la garganta despues de la pastilla
  convulsiono en la mañana y otra vez ahora
  esta temblando y sacando espuma
  mi hermana no me responde
  encontre a mi compañero inconsciente con el frasco vacio
  mi abuelita esta tan dormida que casi no la podemos despertar
  mi nena de 2 años se metió una pastilla a la boca
  mi nieto se comio mi relajante muscular
  mi hija de 4 trago como 3 tabletas
  tome 3 pastillas en vez de 1
  me tomé una sobredosis
  me tome todo el baclofeno de golpe
  se tomo una botella de vodka con 20 baclofenos
  mi mama ve a familiares muertos en el cuarto
  mi papa dice puras incoherencias
  no sabe que dia es y esta como perdida
  no le veo sentido a vivir
  quiero acabar con todo
  se corto las venas
  no he podido orinar desde anoche
  se me acabo hace 2 dias y estoy hirviendo y temblando
  sin pastillas desde el viernes y ahora veo sombras
  deje de tomarla muy rapido y ahora tengo fiebre
  la bomba no deja de pitar
  suena la alarma de mi bomba
  me falto la recarga de la bomba y ahora tengo espasmos y comezon
  el corazon se le esta parando
  quedo inconsciente
  esta toda floja y no se mueve
  se acaba de desmayar
  necesito ayuda ahora
  es una emergencia
  manden una ambulancia
  creo que tengo una reaccion alergica, se me hincha la cara
  mi esposa tomo diez baclofenos y arrastra las palabras
  le di doble dosis a mi hijo por error
  mi hijo se esta poniendo gris
  no pudo respirar
  nesesito alluda urjente
  se desmallo mi mama
  combulsiona
uses:
  para que me sirve el baclofeno
  que hace esta medicina
  para que enfermedades lo dan
  que clase de pastilla es
  es para los nervios
benefits:
  cuanto tarda el baclofeno
  me quitara la rigidez
  de veras ayuda
  podre volver a caminar
  creo que no me funciona
side_effects:
  el baclofeno me da sueño
  que problemas puede causar
  tengo la boca muy seca desde que empece
  es normal sentirse debil
  se sube de peso
  me mareo al levantarme
  me pica el cuerpo por la pastilla
  ando triste desde que tomo baclofeno
  me duele el estomago
dosage:
  lo puedo tomar con leche
  cuantas veces al dia se toma
  ayer no tome mi pastilla
  tengo que comer antes
  se pueden moler las pastillas
  cada cuantas horas
  se me fue la pastilla del mediodia la tomo ahora
  dosis mas alta
  de dia o de noche
warnings:
  puedo tomarme una cerveza
  tengo 6 meses de embarazo
  puedo manejar mi moto
  puedo tomar paracetamol tambien
  tomo medicina para la presion
  es seguro si estoy enfermo del riñon
  puede tomarlo mi hijo
  puedo dar pecho
stopping:
  como dejo de tomarlo sin peligro
  puedo dejarla ya
  quiero quitarme esta medicina
  ya se terminaron mis pastillas
  me queda poco baclofeno
  es malo dejarlo de repente/stopping/side_effects
  en la farmacia no hay
  no tengo con que comprarla
  deje de tomarlo la semana pasada
  debo cancelar el baclofeno
stop:
  alto
  baja por favor
  no me envien mensajes
unknown:
  mmm
  que bonito
  hasta luego
  cuanto cuesta un taxi al centro
  te gusta la musica
  estoy viendo tele
"""

SPANISH_HARD_LATER = """
unknown:
  me podria desmayar con esto/side_effects
  hace que respires lento?/side_effects
  se murio mi perro ayer/unknown
  voy a matar a mi hermano se comio mi pizza jaja/unknown
  tomo 5 fotos/unknown
  dejarlo da alucinaciones?/stopping/side_effects
  mi primo tuvo una sobredosis hace dos años/unknown
  mi papa fallecio de un derrame en 2012/unknown
  es cierto que da alucinaciones/side_effects
  tengo epilepsia desde los 6 años puedo usar baclofeno/warnings
  podria darle convulsiones a mi hijo/side_effects/warnings
  la abstinencia da fiebre/stopping/side_effects
  me puedo confundir con esto/side_effects/unknown
  esta serie me mata/unknown
  mi jefe tuvo un ataque de furia jaja/unknown
  la bebe dio sus primeros pasos/unknown
  mi hijo se tomo toda su leche/unknown
  la bomba de la gasolinera no funciona/unknown
  no sono mi alarma hoy/unknown
  me mori de risa/unknown
  salida de emergencia a la izquierda/unknown
  gana 500 dolares haz clic www.x.co/unknown
  sin fiebre ni confusion, solo cansancio/side_effects/unknown
  hace años que no tiene convulsiones/unknown/warnings
  tome 10 mg en la mañana puedo tomar otra/dosage
  se acabo la leche/unknown
  tiemblo de emocion/unknown
  convulsiones?/side_effects/unknown
  tomo 4 pastillas al dia es mucho/dosage
  mi hija comio muchos dulces/unknown
  estoy muerta de cansancio/unknown/side_effects
  el baclofeno me puede hacer ver cosas/side_effects
  la gente se muere por baclofeno/side_effects/warnings/unknown
  mi tia murio de cancer en junio/unknown
  mi hermano tuvo convulsiones de niño, es seguro para el/warnings
  si alguien toma de mas que pasa/side_effects/dosage/warnings/unknown
  me rei tanto que no podia respirar/unknown
  mi compu se murio/unknown
  el examen fue un suicidio jaja/unknown
  baja el ritmo del corazon?/side_effects
  me desmaye una vez hace años/unknown/side_effects/warnings
  no tengo hinchazon/side_effects/unknown
  tomo seis pastillas al dia/dosage/unknown
  mi hija entro a la universidad/unknown
  la abstinencia es peligrosa/stopping/side_effects
  estoy confundida con la hora de la toma/dosage
  mi vecino tuvo un infarto el mes pasado/unknown
"""

# What people text each other.
ENGLISH_CHATTER = """
unknown:
  on my way be there in 10
  did you feed the dog
  the kids are at school
  im running late traffic is terrible
  have you seen my keys
  what time does the shop close
  lets have a party on saturday
  mom says hi
  my boy scored two goals today
  my daughter passed her exam
  can you help me move the sofa tomorrow
  the doctor said everything is fine
  picked up the tickets
  i had three beers last night/unknown/warnings
  dinner was great thanks
  we ran out of bread
  stop it youre making me laugh
  are you still at work
  stop by when you can
  i stopped at the store
  im so hungry
  the baby is sleeping
  my back hurts from the garden/unknown/side_effects/benefits
  let me know when you arrive
  that movie was sick
  shes so cute
  you owe me 20
  took the dog for a walk
  i took 5 photos of the kids
  the bus broke down again
  have a safe trip
  its freezing outside
  my phone battery is low
  can you call the plumber the pump is broken
  dont forget to bring the book
  happy anniversary to you both
  praise god for everything
  what a game last night
  free entry in a weekly comp to win cup tickets text now
  your parcel is waiting click here
  your account has been suspended verify at bank dot example
  hey whats up
  not much just chilling
  what are you doing later
  wanna grab coffee
  just woke up
  i cant wake up in the mornings lol
  im going to bed now good night
  no worries
  sounds good to me
  ill pay you back friday
  the meeting starts at nine
  we need more people for the team
  is it raining there
  whens the wedding
  my head is full of work
  i love this song
  did you watch the news
  fire in the building downtown, scary
  they lost the match
"""

SPANISH_CHATTER = """
unknown:
  voy en camino llego en 10
  ya le diste de comer al perro
  los niños estan en la escuela
  voy tarde hay mucho trafico
  has visto mis llaves
  a que hora cierra la tienda
  hacemos una fiesta el sabado
  mi mama te manda saludos
  mi hijo metio dos goles
  mi hija paso el examen
  me ayudas a mover el sofa mañana
  el doctor dijo que todo esta bien
  ya compre los boletos
  la cena estuvo rica gracias
  se nos acabo el pan
  ya parale jaja
  sigues en el trabajo
  pasa cuando puedas
  tengo mucha hambre
  el bebe esta dormido
  avisame cuando llegues
  que linda esta
  me debes 20
  saque al perro a pasear
  tome 5 fotos de los niños
  se descompuso el camion otra vez
  buen viaje
  hace mucho frio
  mi celular tiene poca bateria
  no olvides traer el libro
  feliz aniversario a los dos
  gracias a dios por todo
  que partidazo anoche
  tu paquete esta esperando haz clic aqui
  que onda
  nada aqui descansando
  que haces al rato
  vamos por un cafe
  apenas me desperte
  ya me voy a dormir
  no te preocupes
  me parece bien
  te pago el viernes
  la junta empieza a las nueve
  esta lloviendo alla
  cuando es la boda
  me encanta esta cancion
  viste las noticias
  perdieron el partido
  el agua esta muy caliente
"""

TABLES = {
    "en": (ENGLISH + ENGLISH_LATER, ENGLISH_HARD + ENGLISH_HARD_LATER + ENGLISH_CHATTER),
    "es": (SPANISH + SPANISH_LATER, SPANISH_HARD + SPANISH_HARD_LATER + SPANISH_CHATTER),
}


KINDS_OF = """
overdose:
  i took too many
  my toddler swallowed two tablets
  she took the whole bottle because she wants to die
  mi hijo se tragó unas pastillas
withdrawal:
  ran out of baclofen and now i have a fever
  stopped taking it 3 days ago and im shaking
  se me acabo el baclofeno y tengo fiebre y temblores
pump:
  my pump is beeping
  i have a pump and a fever with itching
  la bomba esta pitando
self_harm:
  i want to kill myself
  no quiero vivir mas
general:
  she cant breathe
  his lips are blue
  no despierta
  EMERGENCY
  0
"""

# The same word, once to leave the messages and once about the medicine.
OPT_OUT = """
stop:
  STOP
  stop
  Stop.
  STOP!!
  Stop. Thank you
  please stop
  stopall
  UNSUBSCRIBE
  cancel
  END
  quit
  OPTOUT
  revoke
  stop texting me
  no more messages
  CANCELAR
  baja
  no mas mensajes
stopping:
  can i stop
  should I stop
  i want to stop
  I want to quit
  stop baclofen
  stop the tablets
  stop my medicine
  quit the pills
  end my tablets
  cancel my prescription
  how do I stop
  stop taking it
  quiero parar
  puedo dejarlo
  cancelar el tratamiento
urgent:
  stop i cant breathe
  STOP he took 30 pills
"""

COMMANDS = """
urgent:
  0
  0!
  ٠
  press 0
uses:
  1
  1.
  १
  press one
dosage:
  4
  ৪
  press 4
  opcion 4
more:
  7
call_me:
  8
unknown:
  12
language:
  9
  ９
menu:
  #
  START
  YES
  UNSTOP
"""


def sentences(table: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every text of a table with the intents that are right for it."""
    cases: list[tuple[str, tuple[str, ...]]] = []
    heading = ""
    for line in filter(str.strip, table.splitlines()):
        if not line.startswith(" "):
            heading = line.strip(": ")
            continue
        text, *others = line.strip().split("/")
        cases.append((text, tuple(others or heading.split("/"))))
    return cases


def at(line: Line) -> str:
    return line.place


def meaning(text: str, language: str | None = None) -> Understanding:
    return understand(text, language, LEXICON)


@pytest.mark.parametrize("tag", TABLES)
def test_it_understands_what_people_write(tag: str) -> None:
    cases = [case for table in TABLES[tag] for case in sentences(table)]
    wrong = {text: meaning(text) for text, right in cases if meaning(text).intents[0] not in right}
    assert not wrong


@pytest.mark.parametrize(("text", "right"), sentences(OPT_OUT))
def test_stop_leaves_the_messages_only_when_it_is_the_whole_message(text: str, right: tuple[str, ...]) -> None:
    assert meaning(text).intents[0] in right


@pytest.mark.parametrize(("text", "right"), sentences(COMMANDS))
def test_a_key_means_the_same_in_every_script(text: str, right: tuple[str, ...]) -> None:
    assert meaning(text).intents[0] in right


@pytest.mark.parametrize(("text", "right"), sentences(KINDS_OF))
def test_it_picks_the_urgent_message_that_fits(text: str, right: tuple[str, ...]) -> None:
    assert meaning(text).kind in right


@pytest.mark.parametrize("line", [line for line in LEXICON.lines if line.concept in {*STRONG, *WEAK}], ids=at)
def test_examples_of_danger_are_urgent(line: Line) -> None:
    assert all("urgent" in meaning(example).intents for example in line.examples)


@pytest.mark.parametrize("line", [line for line in LEXICON.lines if line.concept in TOPICS], ids=at)
def test_examples_of_a_topic_mean_that_topic(line: Line) -> None:
    assert [example for example in line.examples if line.concept not in meaning(example).intents] == []


@pytest.mark.parametrize("line", [line for line in LEXICON.lines if line.concept == "chatter"], ids=at)
def test_everyday_talk_means_nothing_to_us(line: Line) -> None:
    assert [example for example in line.examples if meaning(example).intents != ("unknown",)] == []


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("ESPAÑOL", "es"),
        ("spanish", "es"),
        ("in French please", "fr"),
        ("INGLES", "en"),
        ("LANGUAGE", None),
        ("9", None),
    ],
)
def test_a_language_is_chosen_by_its_name_in_any_language(text: str, chosen: str | None) -> None:
    assert (meaning(text).intents, meaning(text).chosen) == (("language",), chosen)


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("COUNTRY KENYA", "KENYA"),
        ("country  South Africa", "South Africa"),
        ("PAÍS México", "México"),
        ("country", ""),
    ],
)
def test_a_country_keeps_its_spelling(text: str, argument: str) -> None:
    assert (meaning(text).intents, meaning(text).argument) == (("country",), argument)


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("what are the side effects and how much should i take", {"side_effects", "dosage"}),
        ("can i drink alcohol and what is it for", {"warnings", "uses"}),
        ("cuantas pastillas tomo y puedo beber alcohol", {"dosage", "warnings"}),
        ("she cant breathe, should i stop taking it", {"urgent", "stopping"}),
    ],
)
def test_two_questions_get_two_answers(text: str, intents: set[str]) -> None:
    assert set(meaning(text).intents) == intents


def test_the_emergency_comes_first() -> None:
    assert meaning("can i drink beer, he cant breathe").intents[0] == "urgent"


@pytest.mark.parametrize(
    "text", ["can baclofen cause seizures?", "puede causar convulsiones?", "my uncle had a seizure years ago"]
)
def test_a_danger_word_that_was_framed_away_is_still_reported(text: str) -> None:
    assert meaning(text).danger and "urgent" not in meaning(text).intents


def test_it_says_which_words_decided() -> None:
    decided = meaning("please my son has swallowed my tablets")
    assert (decided.layer, decided.rule, decided.words) == ("strong", "child*swallowed", ("son", "swalowed"))


@pytest.mark.parametrize(
    ("text", "remembered", "language"),
    [
        ("what is this medicine for", None, "en"),
        ("what is this medicine for", "es", "en"),
        ("para que sirve esta medicina", "en", "es"),
        ("ok", "es", None),
        ("3", "es", None),
        ("", "es", None),
    ],
)
def test_the_text_tells_its_language_or_leaves_it_open(text: str, remembered: str | None, language: str | None) -> None:
    assert meaning(text, remembered).language == language


@pytest.mark.parametrize("text", ["hallucinashuns", "convulsoins"])
def test_a_misspelt_danger_word_is_never_ignored_nor_taken_for_certain(text: str) -> None:
    assert meaning(text).danger or meaning(text).intents == ("urgent",)


def test_one_wrong_letter_in_a_longer_word_is_forgiven() -> None:
    assert meaning("brestfeeding").intents == ("warnings",)


@given(st.text(max_size=300), st.sampled_from([None, *FILES]))
def test_any_text_has_a_meaning(text: str, language: str | None) -> None:
    found = understand(text, language, LEXICON)
    assert found.intents and set(found.intents) <= set(LABELS) and len(found.intents) <= 2
    assert (found.kind in KINDS) == ("urgent" in found.intents)
    assert found == understand(text, language, LEXICON)


@given(st.sampled_from([text for text, right in sentences(ENGLISH + SPANISH) if right == ("urgent",)]))
def test_shouting_and_spacing_change_nothing_urgent(text: str) -> None:
    shouted = f"  {text.upper()}!!! ".replace(" ", "  ")
    assert "urgent" in meaning(shouted).intents


SCRIPTS = {
    "ar": "unresponsive: فاقد الوعي\n> فاقد الوعي\npill: حبوب\n> حبوب\ntook: أخذ\n> أخذ\nmistake: بالغلط\n> بالغلط\n",
    "hi": "breathing: सांस नहीं\n> सांस नहीं आ रही\n",
    "hi-Latn": "breathing: saans nahi\n> sans nhi aa rahi\n",
    "sw": "breathing: -pumui-\n> hapumui\n",
    "zh": "breathing: 呼吸困难, 喘 * 气\n> 呼吸困難\ncountry: 国家\n> 国家\n",
}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("أخي فاقدُ الوعي", "ar"),
        ("وفاقد الوعي", "ar"),
        ("اخذ الحبوب بالغلط", "ar"),
        ("उसे साँस नहीं आ रही", "hi"),
        ("usko saans nhi aa rahi", "hi-Latn"),
        ("mtoto hapumui", "sw"),
        ("他呼吸困難啊", "zh"),
        ("喘不过气", "zh"),
    ],
)
def test_every_script_is_read(tmp_path: Path, text: str, language: str) -> None:
    for tag, content in SCRIPTS.items():
        (tmp_path / tag).write_text(content, "utf-8")
    lexicon = load_lexicon({tag: tmp_path / tag for tag in SCRIPTS})
    found = understand(text, None, lexicon)
    assert (found.intents, found.language) == (("urgent",), language)


def test_a_country_needs_no_space_in_chinese(tmp_path: Path) -> None:
    (tmp_path / "zh").write_text(SCRIPTS["zh"], "utf-8")
    found = understand("国家肯尼亚", None, load_lexicon({"zh": tmp_path / "zh"}))
    assert (found.intents, found.argument) == (("country",), "肯尼亚")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("breathing cant breathe", "phrases.txt:1: expected"),
        ("breething: cant breathe\n> cant breathe", "phrases.txt:1: there is no concept 'breething'"),
        ("breathing: cant breathe", "phrases.txt:1: breathing has no example"),
        ("breathing:\n> cant breathe", "phrases.txt:1: breathing has no phrase"),
        ("# words\nbreathing: cant breathe\n> all is well", "phrases.txt:2: no phrase of breathing is found"),
        ("breathing: br-\n> breathe", "phrases.txt:1: 'br-' is too short"),
        ("breathing: ???\n> ???", "phrases.txt:1: '???' has no letters"),
        (f"breathing: {'a|b ' * 11}breathe\n> a", "stands for more than 1024 phrases"),
    ],
)
def test_a_fault_in_a_file_is_named_with_its_line(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "phrases.txt"
    path.write_text(content, "utf-8")
    with pytest.raises(ValueError) as fault:
        load_lexicon({"en": path})
    assert complaint in str(fault.value)


@pytest.mark.parametrize("text", ["cant breathe", "cannot breathe", "cant even breathe", "cannot even breathe"])
def test_a_phrase_may_leave_a_choice_of_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "en").write_text("breathing: cant|cannot |even breathe\n> cant breathe", "utf-8")
    assert understand(text, None, load_lexicon({"en": tmp_path / "en"})).intents == ("urgent",)
