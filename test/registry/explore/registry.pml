/*
 * The registry's protocol about one name, in Spin's language: a second model, written from the rules and not from
 * src/registry/step.ts. Both have to agree on the invariants, and on what the bugs violate (spin.e2e.test.ts).
 *
 * One process does it all: what happens next is a free choice, so every interleaving is explored. Messages overtake each
 * other, are lost, and arrive late; the registry may end between what a step writes and what it sends.
 */

#define INCARNATIONS 3
#define TRIES 3

#ifndef OPERATIONS
#define OPERATIONS 3
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef DEADLINES
#define DEADLINES 1
#endif
#ifndef EXITS
#define EXITS 1
#endif
#ifndef RESENDS
#define RESENDS 0
#endif
#ifndef LOST_ALARMS
#define LOST_ALARMS 0
#endif

mtype:row = { FREE, STARTING, RUNNING, STOPPING };
mtype:object = { EMPTY, ALIVE, OBITUARY, MARKED };
mtype:operation = { NONE, CREATE, STOP, REPAIR };
mtype:request = { NOTHING, START, END };
mtype:reply = { SILENT, OK, NOPROC };
mtype:alarm = { UNSET, SET, LOST, GONE };

/* On disk. */
mtype:row row = FREE;
byte holder = 0;               /* the incarnation of the row */
mtype:alarm alarm = UNSET;

/* In the registry's memory: the operation under way. Those behind it have not arrived yet. */
mtype:operation operation = NONE;
mtype:request asked = NOTHING;
byte about = 0;            /* the incarnation that was asked */
bool early = false;        /* it has ended by itself before the reply to its start */
byte tries = 0;
bit options = 0;           /* what the create under way asks for */
bool heard = false;        /* its caller still waits */

/* Objects, and messages on their way. */
byte made = 0;
mtype:object object[INCARNATIONS] = EMPTY;
bool start[INCARNATIONS] = false;
bool end[INCARNATIONS] = false;
mtype:reply started[INCARNATIONS] = SILENT;
mtype:reply ended[INCARNATIONS] = SILENT;
bool notice[INCARNATIONS] = false;

/* What the invariants look at. */
bit wants[INCARNATIONS] = 0;      /* the options of the create that made it */
bool created[INCARNATIONS] = false;
bool down[INCARNATIONS] = false;
bool mayEnd[INCARNATIONS] = false;
bool acknowledged[INCARNATIONS] = false;  /* a caller was told that it has ended */
bool forgotten[INCARNATIONS] = false;     /* the registry ended while its start was under way: it has to ask */
bool known[INCARNATIONS] = false;         /* it was told that it has its name, and asks no more */
bool absent = false;              /* a caller was told NOT FOUND, and nobody has asked for the bucket since */

byte operations = OPERATIONS;
byte crashes = CRASHES;
byte deadlines = DEADLINES;
byte exits = EXITS;
byte resends = RESENDS;
byte lostAlarms = LOST_ALARMS;
byte n = 0;

/* What the registry is being told, within one step: a reply to this request to this incarnation. */
mtype:request heardOf = NOTHING;
mtype:reply outcome = SILENT;
byte whom = 0;
byte i = 0;

#define LIVES (row == RUNNING)
#define CUT_OFF (row == STARTING || row == STOPPING)

inline arm() {
#ifndef BUG_ARM
  if :: alarm == UNSET -> alarm = SET :: else fi
#else
  skip
#endif
}

/* A call sets the alarm again that the platform has lost. */
inline rearm() {
  if
  :: alarm == LOST ->
#ifdef BUG_REARM
    alarm = GONE
#else
    alarm = SET
#endif
  :: else
  fi
}

/* The registry ends: its memory goes, and with it the replies that it waits for. */
inline crash() {
  crashes--;
  if :: asked == START -> forgotten[about] = true :: else fi;
  operation = NONE; asked = NOTHING; tries = 0; heard = false;
  for (n : 0 .. INCARNATIONS - 1) { started[n] = SILENT; ended[n] = SILENT }
  n = 0;
  rearm();
  if :: CUT_OFF -> arm() :: else fi
}

inline free(reasonIsEnd) {
  if
  :: row != STARTING && reasonIsEnd ->
    assert(!down[holder]);          /* 5: DOWN at most once */
    assert(created[holder]);        /* 5: and only of what was there */
    assert(mayEnd[holder]);         /* 6: and only of what has ended */
    down[holder] = true
  :: else
  fi;
  row = FREE
}

/* A request leaves when what was written before is on disk, unless the registry ends between the two. */
inline ask(what, whom) {
  asked = what; about = whom; early = false;
  if
  :: crashes > 0 -> crash()
  :: what == START -> start[whom] = true
  :: what == END -> end[whom] = true; mayEnd[whom] = true
  fi
}

inline askStop() {
  if :: LIVES ->
#ifndef BUG_UNMARKED
    row = STOPPING;
#endif
    arm()
  :: else
  fi;
#ifdef BUG_FREED_EARLY
  about = holder; free(true); ask(END, about)
#else
  ask(END, holder)
#endif
}

inline finish() { operation = NONE; asked = NOTHING; tries = 0; heard = false }

inline found() { assert(!acknowledged[holder] && !down[holder]) }  /* 1: no dead bucket is found */

/* Takes up the create under way. */
inline take() {
  if
  :: LIVES -> if :: heard -> found() :: else fi; finish()
  :: !LIVES && tries == TRIES -> finish()
  :: row == FREE && tries < TRIES && made < INCARNATIONS ->
    tries++;
    wants[made] = options;
    made++;
#ifdef BUG_CONFIRMED_EARLY
    row = RUNNING; holder = made - 1;
#endif
    ask(START, made - 1)
  :: row == FREE && tries < TRIES && made == INCARNATIONS -> finish()
  :: CUT_OFF && tries < TRIES ->
    tries++;
#ifdef BUG_OWN
    if :: row == STARTING -> ask(START, holder) :: else -> askStop() fi
#else
    askStop()
#endif
  fi
}

/* The reply to the request that the operation waits for. */
inline said() {
  asked = NOTHING;
  if
  :: heardOf == START && outcome == OK && !early ->
    assert(!created[whom]);
    assert(!absent);            /* 1: what was NOT FOUND does not come unasked */
    created[whom] = true;
    row = RUNNING; holder = whom;
    if :: heard && operation == CREATE -> assert(wants[whom] == options) :: else fi;  /* 2: with its own options */
    finish()
  :: heardOf == START && !(outcome == OK && !early) -> take()
  :: heardOf == END && (row == FREE || holder != whom) ->
    /* Its own notice has freed the name. */
    if :: operation == CREATE -> take()
    :: else -> if :: operation == STOP -> acknowledged[whom] = true :: else fi; finish()
    fi
  :: heardOf == END && row != FREE && holder == whom ->
    free(true);
    if :: operation == CREATE -> take()
    :: else -> if :: operation == STOP -> acknowledged[whom] = true :: else fi; finish()
    fi
  fi;
  heardOf = NOTHING; outcome = SILENT; whom = 0
}

/* The deadline of the request that the operation waits for. */
inline late() {
  deadlines--;
#ifdef BUG_SILENCE_IS_NOPROC
  if :: asked == START -> started[about] = NOPROC :: else -> finish() fi
#else
#ifdef BUG_SILENCE_IS_OK
  if :: asked == END -> ended[about] = OK :: else -> finish() fi
#else
  /* It may live, or start later: the row says that it has to go. */
  if :: asked == START -> row = STARTING; holder = about; arm() :: else fi;
  finish()
#endif
#endif
}

#ifdef BUG_LATE_REPLY
#define WAITS_FOR(what, whom) (asked == what)
#define REPLY_OF(whom) about
#else
#define WAITS_FOR(what, whom) (asked == what && about == whom)
#define REPLY_OF(whom) whom
#endif

/* What one object, and its messages, do next. */
inline hear() {
  if
  /* An object hears a request. */
  :: start[i] ->
    if :: resends > 0 -> resends-- :: start[i] = false fi;
    if
    :: object[i] == EMPTY || object[i] == ALIVE -> object[i] = ALIVE; started[i] = OK
    :: else -> started[i] = NOPROC
    fi
  :: end[i] ->
    if :: resends > 0 -> resends-- :: end[i] = false fi;
#ifdef BUG_MARK
    if :: object[i] == EMPTY -> object[i] = MARKED :: else -> object[i] = EMPTY fi;
#else
    object[i] = MARKED;
#endif
    ended[i] = OK
  /* The registry hears a reply. */
  :: started[i] != SILENT || ended[i] != SILENT ->
    if
    :: started[i] != SILENT -> heardOf = START; outcome = started[i]; started[i] = SILENT
    :: ended[i] != SILENT -> heardOf = END; outcome = ended[i]; ended[i] = SILENT
    fi;
    if
    :: WAITS_FOR(heardOf, i) -> whom = REPLY_OF(i); said()
    :: else -> heardOf = NOTHING; outcome = SILENT
    fi
  /* A bucket ends by itself, and says so until it is acknowledged. */
  :: exits > 0 && object[i] == ALIVE -> exits--; object[i] = OBITUARY; mayEnd[i] = true; notice[i] = true
  :: notice[i] ->
    notice[i] = false;
    if :: object[i] == OBITUARY -> object[i] = MARKED :: else fi;
#ifdef BUG_OLD_NOTICE
    if :: row != FREE -> free(true) :: else fi
#else
    if
    :: row != FREE && holder == i -> free(true)
#ifndef BUG_EARLY_END
    :: row == FREE && asked == START && about == i -> early = true
#endif
    :: else
    fi
#endif
  /* A bucket asks whether it has its name. One whose create is under way waits for that. */
  :: object[i] == ALIVE && !known[i] ->
    if
    :: row != FREE && holder == i -> known[i] = true
    :: asked == START && about == i ->
#ifdef BUG_EARLY_YES
      known[i] = true
#else
#ifdef BUG_EARLY_NO
      object[i] = MARKED
#else
      skip
#endif
#endif
    :: else -> object[i] = MARKED
    fi
  :: else
  fi;
  i = 0
}

#define QUIET(i) (!start[i] && !end[i] && started[i] == SILENT && ended[i] == SILENT && !notice[i])
#define ALL_QUIET (operation == NONE && QUIET(0) && QUIET(1) && QUIET(2))
#define HAS_END(i) (!created[i] || down[i] || (row != FREE && holder == i))
#define NOT_LEAKED(i) (object[i] != ALIVE || (row != FREE && holder == i) || (forgotten[i] && !known[i]))
#define HAS_NAME(i) (object[i] == ALIVE && !forgotten[i])

inline check() {
  /* 1: the name does not lead to what has been wiped, and what was acknowledged as ended does not live. */
  assert(!LIVES || object[holder] == ALIVE || object[holder] == OBITUARY);
  assert(object[0] != ALIVE || (!down[0] && !acknowledged[0]));
  assert(object[1] != ALIVE || (!down[1] && !acknowledged[1]));
  assert(object[2] != ALIVE || (!down[2] && !acknowledged[2]));
  /* 2: one object of a name lives, but for those that nothing leads to. */
  assert(HAS_NAME(0) + HAS_NAME(1) + HAS_NAME(2) <= 1);
  if
  :: ALL_QUIET ->
    /* 4: nothing is left between two states with no alarm, no object lives that no name leads to, but one that will ask. */
    assert(!CUT_OFF || alarm == SET || alarm == LOST);
    assert(NOT_LEAKED(0) && NOT_LEAKED(1) && NOT_LEAKED(2));
    /* 5: no DOWN is missing. */
    assert(HAS_END(0) && HAS_END(1) && HAS_END(2))
  :: else
  fi
}

active proctype world() {
  do
  :: atomic {
    if
    /* A create or a stop is asked for. */
    :: operations > 0 && operation == NONE ->
      operations--;
      rearm();
      if
      :: made < INCARNATIONS ->
        operation = CREATE; heard = true; absent = false; tries = 0;
        if :: options = 0 :: options = 1 fi;
        take()
      :: row == FREE
      :: row != FREE -> operation = STOP; askStop()
      fi
    /* A lookup. */
#ifdef BUG_QUEUE
    :: operations > 0 ->
#else
    :: operations > 0 && operation == NONE ->
#endif
      operations--;
      rearm();
      if
      :: LIVES -> found()
      :: !LIVES && !(operation == CREATE && heard) -> absent = true
      :: else
      fi
    /* The alarm undoes what was cut off. */
    :: alarm == SET && operation == NONE && CUT_OFF ->
      operation = REPAIR;
#ifdef BUG_UNDO
      if :: row == STARTING -> ask(START, holder) :: else -> askStop() fi
#else
      askStop()
#endif
    :: alarm == SET && operation == NONE && !CUT_OFF -> alarm = UNSET
    /* A deadline passes: the request or its reply is lost, or the request still arrives. */
    :: deadlines > 0 && asked != NOTHING ->
      if
      :: asked == START -> if :: start[about] = false :: skip fi; started[about] = SILENT
      :: asked == END -> if :: end[about] = false :: skip fi; ended[about] = SILENT
      fi;
      late()
    :: deadlines > 0 && operation == CREATE && heard -> deadlines--; heard = false
    :: crashes > 0 -> crash()
    :: lostAlarms > 0 && alarm == SET -> lostAlarms--; alarm = LOST
    :: true ->
      if :: i = 0 :: i = 1 :: i = 2 fi;
      hear()
    fi;
    check()
  }
  od
}
