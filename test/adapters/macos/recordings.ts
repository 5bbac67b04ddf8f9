// What macOS's tools print. Composed, since there was no Mac to record one: widths, paddings and signs of `ps` after
// `ps/keyword.c` and `ps/print.c` of Apple's adv_cmds-237 (https://github.com/apple-oss-distributions/adv_cmds), where numbers
// stand right in 5, `stat` left in 4, `lstart` left in 28 and so followed by spaces, and user ids are signed.

/** `ps -ax -o pid= -o ppid= -o pgid= -o uid= -o stat= -o lstart=` with `LC_ALL=C TZ=UTC`. */
export const processTable = `\
    1     0     1     0 Ss   Sun Mar  9 03:58:11 2025    
  119     1   119     0 Ss   Sun Mar  9 03:58:40 2025    
  312     1   312    -2 S    Sun Mar  9 03:58:52 2025    
  655     1   655   501 Us   Sun Mar  9 04:05:06 2025    
  656   655   655   501 S    Sun Mar  9 04:05:06 2025    
  657   655   657   501 SN   Sun Mar  9 04:05:07 2025    
  701   690   701   501 S+   Mon Dec 29 23:59:59 2025    
  702   655   655   501 Z    Tue Feb 24 00:00:00 2026    
99998   655   655   501 ?Es  Tue Feb 24 12:34:56 2026    
99999     1   654   501 R    Tue Feb 24 12:34:57 2026    
`;

/** The same for one pid. */
export const onePid = '  655     1   655   501 Us   Sun Mar  9 04:05:06 2025    \n';

/** `ps -ax -ww -o pid= -o command=`. */
export const commands = `\
    1 /sbin/launchd
  655 /usr/local/bin/node /Users/ann/my app/server.js --port=3000
  656 /bin/sleep 100
  657 grep DAEMONRY_INSTANCE=0d9c0d3e-8c0a-4f4e-9f6b-1f4f6a0f5b11
  658 /opt/homebrew/bin/redis-server *:6379
  702 <defunct>
99999 (trustd)
`;

/** `ps -ax -E -ww -o pid= -o command=`: `/bin/sleep` is Apple's own, and its environment is kept back. */
export const commandsWithEnvironment = `\
    1 /sbin/launchd
  655 /usr/local/bin/node /Users/ann/my app/server.js --port=3000 HOME=/Users/ann DAEMONRY_NAME=web DAEMONRY_INSTANCE=0d9c0d3e-8c0a-4f4e-9f6b-1f4f6a0f5b11 DAEMONRY_DESCRIPTOR=/Users/ann/Library/Application Support/daemonry/web/daemon.json NOTE=two^Jlines and a=b PWD=/Users/ann/my app
  656 /bin/sleep 100
  657 grep DAEMONRY_INSTANCE=0d9c0d3e-8c0a-4f4e-9f6b-1f4f6a0f5b11 HOME=/Users/ann
  658 /opt/homebrew/bin/redis-server *:6379 HOME=/Users/ann
  702 <defunct>
99999 (trustd)
`;

/** `ioreg -rd1 -c IOPlatformExpertDevice`. */
export const platformExpert = `\
+-o J314sAP  <class IOPlatformExpertDevice, id 0x10000024d, registered, matched, active, busy 0 (22135 ms), retain 41>
    {
      "manufacturer" = <"Apple Inc.">
      "compatible" = <"J314sAP","MacBookPro18,3","AppleARM">
      "IOBusyInterest" = "IOCommand is not serializable"
      "IOPlatformUUID" = "F6C92D4C-07EB-5A3A-9C1D-9144BB09C35B"
      "IOPolledInterface" = "AppleARMWatchdogTimerHibernateHandler is not serializable"
      "IOPlatformSerialNumber" = "C02XXXXXXXXX"
    }
    
`;

/** `sysctl -n kern.bootsessionuuid`. */
export const bootSession = '5B7C2C5E-2F0B-4A56-8B64-6F0D1C2A9E77\n';
