# ---- fuzzing: tests/fuzz/fuzz_X.c becomes $(BUILD)/fuzz/fuzz_X; make fuzz T=seconds runs each for so long,
# beginning with tests/fuzz/corpus/X; what it finds beyond that stays in $(BUILD)/fuzz/grown/X ----
T        ?= 60
FUZZ     := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CC  ?= clang
FUZZSAN  := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZCOV  := -fsanitize=fuzzer-no-link
fuzzed    = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(1))

.PHONY: fuzz fuzz-programs
fuzz: fuzz-programs
	@BUILD='$(BUILD)' tests/fuzz/run $(T) $(FUZZ)

fuzz-programs: $(FUZZ:%=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/obj/%.o: %.c $(BUILD)/flags
	@echo "  CC    $< (fuzzed)"
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -DRT_CHECK $(FUZZCOV) $(FUZZSAN) -c -o $@ $<

# Counted through, their loops over samples take all the time.
$(BUILD)/fuzz/obj/src/resample.o $(BUILD)/fuzz/obj/src/sample.o: FUZZCOV =
$(BUILD)/fuzz/obj/src/resample.o: private FILE_FLAGS = -O3 -ffast-math -fno-finite-math-only

# Of all that there is, each takes what it needs.
$(BUILD)/fuzz/all.a: $(call fuzzed,$(sort $(CORE) $(DRIVERS) $(TOOLPARTS)))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# What a fuzzer has put something of its own in the place of.
wrapped   = $(addprefix -Wl$(,)--wrap=,$(1))
$(BUILD)/fuzz/fuzz_player: FUZZLINK = $(call wrapped,resampler_open resampler_close stream_read)
$(BUILD)/fuzz/fuzz_scribbled: FUZZLINK = $(call wrapped,clock_gettime ppoll inotify_init1 fstat pread)

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/all.a
	@echo "  LINK  $@"
	$(Q)$(FUZZ_CC) $(HARDLINK) -fsanitize=fuzzer $(FUZZSAN) -pthread $(FUZZLINK) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm
