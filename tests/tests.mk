# ---- unit tests: tests/unit/test_X.c becomes $(BUILD)/check/test_X, linked with everything but main,
# all of it compiled with -DRT_CHECK (src/rt.h) ----
UNIT     := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
# a driver's tests go with it
UNIT     := $(filter-out $(patsubst %,test_%,$(filter-out $(OUTPUTS) $(RECEIVERS),$(OUTPUTS_KNOWN) $(RECEIVERS_KNOWN))),$(UNIT))
SUPPORT  := $(filter-out $(wildcard tests/unit/test_*.c),$(wildcard tests/unit/*.c))
TOOLPARTS := $(filter-out tools/send.c tools/listen.c,$(wildcard tools/*.c))
checked   = $(patsubst %.c,$(BUILD)/check/obj/%.o,$(1))
PARTS    := $(call checked,$(sort $(CORE) $(DRIVERS) $(TOOLPARTS) $(SUPPORT)))

$(BUILD)/check/obj/%.o: %.c $(BUILD)/flags
	@echo "  CC    $< (checked)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DRT_CHECK -Isrc -c -o $@ $<

$(BUILD)/check/test_%: $(BUILD)/check/obj/tests/unit/test_%.o $(PARTS)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka -lsamplerate -lm

unit: $(UNIT:%=$(BUILD)/check/%)
	@set -e; for t in $^; do $$t; done

.SECONDARY:

# ---- live tests: the real programs on real servers, see tests/live/run ----
live: $(BUILD)/scream $(BUILD)/scream-send $(BUILD)/scream-listen
	$(Q)BUILD=$(BUILD) tests/live/run
