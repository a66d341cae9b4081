# Was auf der Bühne und im Fenster steht, auf Deutsch.

card-sent = schenkt
card-from = von { $shown } { $count ->
    [one] Person
   *[other] Personen
}
someone = Jemand

board-live = LIVE
board-offline = OFFLINE
board-viewers = { $count ->
    [one] schaut zu
   *[other] schauen zu
}
board-goal = Ziel
board-goal-reached = Ziel erreicht
board-gifters = Am meisten geschenkt
board-recent = Neueste Geschenke

link-none = nicht verbunden
link-connecting = verbindet
link-online = verbunden
link-lost = Verbindung verloren, neuer Versuch läuft
link-ended = Verbindung beendet
link-no-event = { $link }, noch kein Ereignis
link-just-now = { $link }, letztes Ereignis gerade eben
link-seconds = { $link }, letztes Ereignis vor { $shown } s
link-minutes = { $link }, letztes Ereignis vor { $shown } min
link-hours = { $link }, letztes Ereignis vor { $shown } h

help-title = Tasten
help-pause = anhalten und weiterspielen
help-skip = überspringen, was gerade spielt
help-clear = Bühne und Warteschlange leeren
help-mute = stumm
help-quiet = nicht stören: Geschenke sammeln, dann zusammen zeigen
help-replay = das letzte Geschenk wiederholen
help-test = Probegeschenke; sie zählen nirgends. Mit Umschalt zehn auf einmal
help-ground = worüber die Bühne liegt: dunkel, schwarz, weiß, kariert
help-help = diese Hilfe
help-quit = beenden

state-paused = angehalten
state-quiet = nicht stören
state-muted = stumm
state-hidden = verborgen

tray-show = Geschenke zeigen
tray-mute = Stumm
tray-quiet = Nicht stören
tray-quality = Qualität
tray-why = Warum ist nichts zu sehen?
tray-quit = Beenden

quality-auto = Automatisch
quality-low = Niedrig
quality-medium = Mittel
quality-high = Hoch
quality-ultra = Ultra
