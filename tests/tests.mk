# ---- unit tests: tests/unit/test_X.c becomes $(BUILD)/check/test_X, linked with everything but main,
# all of it compiled with -DRT_CHECK (src/rt.h) ----
UNIT     := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
# a driver's tests go with it
UNIT     := $(filter-out $(foreach d,$(filter-out $(OUTPUTS) $(RECEIVERS),$(OUTPUTS_KNOWN) $(RECEIVERS_KNOWN)),test_$(d) test_$(d)_%),$(UNIT))
SUPPORT  := $(filter-out $(wildcard tests/unit/test_*.c),$(wildcard tests/unit/*.c))
SIMPARTS := $(filter-out tests/sim/simulate.c,$(wildcard tests/sim/*.c))
TOOLPARTS := $(filter-out tools/send.c tools/listen.c,$(wildcard tools/*.c))
checked   = $(patsubst %.c,$(BUILD)/check/obj/%.o,$(1))
PARTS    := $(call checked,$(sort $(CORE) $(DRIVERS) $(TOOLPARTS) $(SUPPORT) $(SIMPARTS) receivers/ivshmem_pace.c))

$(BUILD)/check/obj/%.o: %.c $(BUILD)/flags
	@echo "  CC    $< (checked)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DRT_CHECK -Isrc -c -o $@ $<

$(BUILD)/check/test_%: $(BUILD)/check/obj/tests/unit/test_%.o $(PARTS)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lsamplerate -lm

unit: $(UNIT:%=$(BUILD)/check/%)
	@set -e; for t in $^; do $$t; done

# ---- under valgrind, the longest first: of the simulator's cases one, of those of steering some, all of
# everything else. The programs are traced through unshare, into a network namespace, but not the shells
# that set it up. ----
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --suppressions=tests/valgrind.supp \
            --trace-children=yes --trace-children-skip=*/sh,*/dash
LONGEST  := test_listen_resampled test_matrix test_resample test_voice test_signal test_stream
.PHONY: valgrind
valgrind: unit-programs
	@UNDER='$(VALGRIND)' UNIT_SECONDS=1200 TEST_SHARE=100 tools/check \
	    $(patsubst %,$(BUILD)/check/%,$(filter $(UNIT),$(LONGEST)) $(filter-out $(LONGEST),$(UNIT)))

.SECONDARY:

# ---- the simulator: make simulate CASE="udp n=480 ppm=500 stall=250@60", --help lists the words ----
CASE ?= udp ppm=100 out=-30 jitter=0.01 stall=250@120 pause=3000@180 step=200@240 seconds=360
.PHONY: simulate
simulate: $(BUILD)/simulate
	@$(BUILD)/simulate -o $(BUILD)/simulate.svg $(CASE)

# Of the core it takes what it needs.
$(BUILD)/simulate: $(call objects,$(wildcard tests/sim/*.c)) $(BUILD)/core.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm

$(BUILD)/core.a: $(call objects,$(CORE) receivers/ivshmem_pace.c)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# ---- live tests: the real programs on real servers, see tests/live/run ----
# with their helpers: attackers, and the machine's witness
HELPERS := $(BUILD)/flood $(BUILD)/scribble $(BUILD)/witness
$(HELPERS):
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^

$(BUILD)/flood $(BUILD)/scribble: $(BUILD)/%: $(BUILD)/obj/tests/hostile/%.o
$(BUILD)/witness: $(BUILD)/obj/tests/live/witness.o

.PHONY: live-programs
live-programs: all $(HELPERS)

live: live-programs
	$(Q)BUILD=$(BUILD) tests/live/run

# ---- faults: many of them in random order, against receivers that are never restarted ----
ROUNDS ?= 100
.PHONY: check-faults
check-faults: live-programs
	$(Q)BUILD=$(BUILD) tests/live/faults_rounds.py --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))
