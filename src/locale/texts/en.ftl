# What the engine writes on the stage and in its window, in English.
#
# A translation has every message of this file and uses the same variables; a
# test compares them. $shown is a number as it is written, $count the same
# number for choosing between singular and plural.

# On a caption card, before the gift's name: "sent Rose".
card-sent = sent
# On a bundle's card. The number is written in another style.
card-from = from { $shown } { $count ->
    [one] person
   *[other] people
}
# In place of an empty name.
someone = Someone

# The board.
board-live = LIVE
board-offline = OFFLINE
board-viewers = { $count ->
    [one] viewer
   *[other] viewers
}
board-goal = Goal
# After the bar's numbers, "340 / 500".
board-goal-reached = Goal reached
board-gifters = Top gifters
board-recent = Recent gifts

# The connection, in words.
link-none = not connected
link-connecting = connecting
link-online = connected
link-lost = connection lost, trying again
link-ended = connection ended
# { $link } is one of the above.
link-no-event = { $link }, no event yet
link-just-now = { $link }, last event just now
link-seconds = { $link }, last event { $shown } s ago
link-minutes = { $link }, last event { $shown } min ago
link-hours = { $link }, last event { $shown } h ago

# The window's help: what each key does.
help-title = Keys
help-pause = pause and go on
help-skip = skip what plays
help-clear = clear the stage and the queue
help-mute = mute
help-quiet = do not disturb: collect gifts, then play one recap
help-replay = replay the last gift
help-test = test gifts; they count nowhere. With Shift, ten at once
help-ground = what the stage lies over: dark, black, white, checkered
help-help = this help
help-quit = quit

# In the window's title, and beside the overlay's icon.
state-paused = paused
state-quiet = do not disturb
state-muted = muted
state-hidden = hidden

# The menu of the overlay's icon in the desktop's tray.
tray-show = Show gifts
tray-mute = Mute
tray-quiet = Do not disturb
tray-quality = Quality
tray-why = Why is nothing showing?
tray-quit = Quit

# The qualities to choose from there.
quality-auto = Automatic
quality-low = Low
quality-medium = Medium
quality-high = High
quality-ultra = Ultra
