# scream: make, make demo, make check. See README.md.
#
#   make OUTPUTS="alsa raw" RECEIVERS="udp"     just those drivers
#   make SAN=address,undefined BUILD=build-asan a build with sanitizers, in a folder of its own
#   make SYSTEMD=no                             without libsystemd
#   make V=1                                    shows the commands

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
NM      ?= nm
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
VERSION := $(shell cat VERSION)

# ---- drivers: a name, the pkg-config module it needs (none: always there), its file is <name>.c ----
OUTPUTS_KNOWN   := pipewire pulse alsa raw wav
RECEIVERS_KNOWN := udp ivshmem
pkg_pipewire := libpipewire-0.3 >= 0.3.65
pkg_pulse    := libpulse
pkg_alsa     := alsa

# ---- libraries of the core: pkg_ as above, <NAME>=no leaves one out ----
LIBRARIES_KNOWN := systemd
pkg_systemd  := libsystemd
does_systemd := RealtimeKit, and what services tell systemd

upper = $(shell echo $(1) | tr a-z A-Z)
have = $(if $(pkg_$(1)),$(shell pkg-config --exists '$(pkg_$(1))' 2>/dev/null && echo yes),yes)

ifdef OUTPUTS
missing := $(foreach d,$(OUTPUTS),$(if $(filter $(d),$(OUTPUTS_KNOWN)),,$(error OUTPUTS: no output is named '$(d)'; known: $(OUTPUTS_KNOWN)))$(if $(call have,$(d)),,$(error OUTPUTS: '$(d)' needs $(pkg_$(d)), which pkg-config does not find; `make deps` installs it)))
else
OUTPUTS := $(foreach d,$(OUTPUTS_KNOWN),$(if $(call have,$(d)),$(d)))
endif
ifdef RECEIVERS
missing := $(foreach d,$(RECEIVERS),$(if $(filter $(d),$(RECEIVERS_KNOWN)),,$(error RECEIVERS: no receiver is named '$(d)'; known: $(RECEIVERS_KNOWN))))
else
RECEIVERS := $(RECEIVERS_KNOWN)
endif
LIBRARIES := $(foreach l,$(LIBRARIES_KNOWN),$(if $(filter no,$($(call upper,$(l)))),,$(if $(call have,$(l)),$(l))))
left_out := $(filter-out $(OUTPUTS),$(OUTPUTS_KNOWN)) $(filter-out $(RECEIVERS),$(RECEIVERS_KNOWN)) \
            $(filter-out $(LIBRARIES),$(LIBRARIES_KNOWN))
why_out   = $(if $(call have,$(1)),not asked for,needs $(pkg_$(1)): make deps)

DRIVER_FLAGS := $(foreach d,$(OUTPUTS) $(RECEIVERS) $(LIBRARIES),-DHAVE_$(call upper,$(d)))
# outputs with a library of their own are modules of the program (outputs/load.c); tests have all linked
MODULES := $(strip $(foreach d,$(OUTPUTS),$(if $(pkg_$(d)),$(d))))
MODULEDIR := $(LIBDIR)/scream
# of which build a module is; and where it lies, from the program on: the same wherever both are moved
ABI     := $(VERSION)-$(firstword $(shell cat src/*.h outputs/*.h | cksum))
FROM_BIN := $(shell realpath -ms --relative-to='$(BINDIR)' '$(MODULEDIR)')
pkg_libs = $(if $(1),$(shell pkg-config --libs $(foreach d,$(1),$(firstword $(pkg_$(d))))))
pkgs := $(foreach d,$(OUTPUTS) $(LIBRARIES),$(firstword $(pkg_$(d))))
ifneq ($(strip $(pkgs)),)
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(filter-out -I/usr/include,$(shell pkg-config --cflags $(pkgs))))
PKG_LIBS   := $(call pkg_libs,$(MODULES) $(LIBRARIES))
CORE_LIBS  := $(call pkg_libs,$(LIBRARIES))
endif

# ---- flags ----
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wformat=2 -Wvla
HARDEN   := -fPIE -fstack-protector-strong -fno-common
HARDLINK := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
ifdef SAN
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
else
HARDEN   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DSCREAM_VERSION='"$(VERSION)"' -DOUTPUT_MODULES='"$(FROM_BIN)"' $(DRIVER_FLAGS) \
             $(WARN) $(HARDEN) $(SANFLAGS) -pthread -MMD -MP $(PKG_CFLAGS) $(CFLAGS) $(CPPFLAGS) $(FILE_FLAGS)
ALL_LDFLAGS = $(HARDLINK) $(SANFLAGS) -pthread $(LDFLAGS)
Q := $(if $(V),,@)

, := ,
# ---- what is built of what ----
CORE    := $(filter-out src/main.c,$(wildcard src/*.c))
driver   = $(foreach d,$(2),$(1)/$(d).c $(wildcard $(1)/$(d)_*.c))
DRIVERS := $(call driver,outputs,$(OUTPUTS)) $(call driver,receivers,$(RECEIVERS)) outputs/table.c receivers/table.c
LINKED  := $(filter-out $(call driver,outputs,$(MODULES)),$(DRIVERS)) $(if $(MODULES),outputs/load.c)
SEND    := $(wildcard tools/send*.c) tools/signal.c
LISTEN  := $(wildcard tools/listen*.c) tools/signal.c
objects  = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.PHONY: all deps check lint demo install clean FORCE unit live
all: $(BUILD)/report $(BUILD)/scream $(BUILD)/scream-send $(BUILD)/scream-listen

# What its modules use of it is exported, and nothing else.
$(BUILD)/scream: $(call objects,src/main.c $(CORE) $(LINKED)) $(MODULES:%=$(BUILD)/outputs/%.so)
	@echo "  LINK  $@"
	$(if $(MODULES),$(Q){ echo '{'; $(NM) -D -u -P $(filter %.so,$^) | sed -n 's/^\([^@ ]*\) U.*/\1;/p'; echo '};'; } > $(BUILD)/exports)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(MODULES),-Wl$(,)--dynamic-list=$(BUILD)/exports) -o $@ $(filter %.o,$^) $(CORE_LIBS) -lm

define module
$$(BUILD)/outputs/$(1).so: $$(call objects,$$(call driver,outputs,$(1)) outputs/abi.c) outputs/module.map
	@echo "  LINK  $$@"
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(filter-out -pie,$$(ALL_LDFLAGS)) -shared -Wl,--version-script=outputs/module.map -o $$@ $$(filter %.o,$$^) $$(call pkg_libs,$(1)) -lm
endef
$(foreach m,$(MODULES),$(eval $(call module,$(m))))
$(call objects,$(call driver,outputs,$(MODULES))): private FILE_FLAGS = -fPIC
$(call objects,outputs/table.c): private FILE_FLAGS = -DOUTPUTS_LOADED
$(call objects,outputs/load.c):  private FILE_FLAGS = -DOUTPUTS_LOADED -DOUTPUT_ABI='"$(ABI)"'
$(call objects,outputs/abi.c):   private FILE_FLAGS = -fPIC -DOUTPUT_ABI='"$(ABI)"'
$(call objects,outputs/load.c outputs/abi.c): $(wildcard src/*.h outputs/*.h)

$(BUILD)/scream-send: $(call objects,$(SEND) src/format.c src/chmap.c)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm

$(BUILD)/scream-listen: $(call objects,$(LISTEN) src/format.c src/chmap.c)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@echo "  CC    $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Its loops are sums whose order does not matter.
$(BUILD)/obj/src/resample.o $(BUILD)/check/obj/src/resample.o: private FILE_FLAGS = -O3 -ffast-math -fno-finite-math-only

# Rebuilds everything when a flag or the choice of drivers changes, nothing when none does.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(subst ','\'',$(CC) $(ALL_CFLAGS))' | cmp -s - $@ || echo '$(subst ','\'',$(CC) $(ALL_CFLAGS))' > $@

$(BUILD)/report: $(BUILD)/flags
	@{ echo "  outputs:   $(strip $(OUTPUTS))"; echo "  receivers: $(strip $(RECEIVERS))"; \
	   $(foreach l,$(LIBRARIES),echo "  with:      $(l) ($(does_$(l)))";) \
	   $(foreach d,$(left_out),echo "  left out:  $(d) ($(call why_out,$(d)))";) } | tee $@

include tests/tests.mk
include tests/fuzz/fuzz.mk
include tests/failing/failing.mk
include tests/model/model.mk
include bench/bench.mk

clean:
	rm -rf build build-* $(if $(filter-out .,$(BUILD)),$(if $(wildcard $(BUILD)/flags),'$(BUILD)'))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- everything around the build ----
# What deps installs is seen by a make that starts after it.
DESTDIR ?=
MANDIR  ?= $(PREFIX)/share/man
DOCDIR  ?= $(PREFIX)/share/doc/scream
# where systemd looks for a user's units: not in ~/.local/lib
UNITDIR ?= $(PREFIX)/$(if $(filter $(HOME)/%,$(PREFIX)),share,lib)/systemd/user
PROGRAMS := scream scream-send scream-listen
MANUALS  := $(wildcard doc/*.1)
UNITS    := scream.service packaging/scream-ivshmem.service packaging/scream@.service
# as a unit's command, whatever its path is made of: quoted for systemd (its %% is a %), then for sed
quoted    = "$(subst %,%%,$(subst ",\",$(subst \,\\,$(1))))"
for_sed   = $(subst $(,),\$(,),$(subst &,\&,$(subst \,\\,$(1))))
UNITCALL  = $(call for_sed,$(call quoted,$(BINDIR)/scream))
# a program that does not talk to systemd must not be waited for
UNTOLD   := $(if $(filter systemd,$(LIBRARIES)),,-e 's/^Type=notify/Type=exec/' -e '/^\# Fed/d' -e '/^WatchdogSec/d')
DOCS     := README.md CHANGELOG.md SECURITY.md $(wildcard packaging/*.md packaging/*.xml packaging/tmpfiles.d/*.conf)

.PHONY: unit-programs uninstall
deps:
	@tools/deps check

lint:
	@tools/lint

unit-programs: $(UNIT:%=$(BUILD)/check/%)

check: deps
	@$(MAKE) --no-print-directory unit-programs live-programs
	@BUILD='$(BUILD)' tools/check -l $(UNIT:%=$(BUILD)/check/%)

demo: deps
	@$(MAKE) --no-print-directory all
	@BUILD='$(BUILD)' tools/demo

install: all
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MANDIR)/man1' '$(DESTDIR)$(UNITDIR)' '$(DESTDIR)$(DOCDIR)'
	install $(PROGRAMS:%='$(BUILD)/%') '$(DESTDIR)$(BINDIR)'
	$(if $(MODULES),install -d '$(DESTDIR)$(MODULEDIR)' && install -m 644 $(MODULES:%='$(BUILD)/outputs/%.so') '$(DESTDIR)$(MODULEDIR)')
	install -m 644 $(MANUALS) '$(DESTDIR)$(MANDIR)/man1'
	install -m 644 $(DOCS) '$(DESTDIR)$(DOCDIR)'
	for unit in $(UNITS); do \
	    sed -e '/^# make install/d' -e 's,/usr/bin/env scream,$(UNITCALL),' $(UNTOLD) $$unit \
	        > '$(DESTDIR)$(UNITDIR)'/$${unit##*/} && chmod 644 '$(DESTDIR)$(UNITDIR)'/$${unit##*/} || exit 1; \
	done

uninstall:
	rm -f $(foreach p,$(PROGRAMS),'$(DESTDIR)$(BINDIR)/$(p)') $(foreach u,$(notdir $(UNITS)),'$(DESTDIR)$(UNITDIR)/$(u)')
	rm -f $(foreach m,$(notdir $(MANUALS)),'$(DESTDIR)$(MANDIR)/man1/$(m)')
	rm -f $(foreach d,$(notdir $(DOCS)),'$(DESTDIR)$(DOCDIR)/$(d)')
	rm -f $(foreach m,$(OUTPUTS_KNOWN),'$(DESTDIR)$(MODULEDIR)/$(m).so')
	-rmdir '$(DESTDIR)$(DOCDIR)' '$(DESTDIR)$(MODULEDIR)'
