/** The pictures of the pages: strokes on a grid of 24, drawn for Roslin. Decoration always: words beside them carry the meaning. */
const SHAPES = {
  home: 'M4 11.5 12 5l8 6.5M6 10v9h12v-9M10 19v-5h4v5',
  pen: 'M5 19l1-4L16.5 4.500a1.8 1.8 0 0 1 2.6 0l.4.4a1.8 1.8 0 0 1 0 2.600L9 18zM14.5 6.500l3 3',
  stack: 'M12 4l8 4-8 4-8-4zM4 12l8 4 8-4M4 16l8 4 8-4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.800a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.600z',
  board: 'M5 20v-7h4v7M10 20V5h4v15M15 20V9.500h4V20M3 20h18',
  scales: 'M12 4v16M7 20h10M5 7h14M5 7l-2.5 6.500a2.7 2.7 0 0 0 5 0zM19 7l-2.5 6.500a2.7 2.7 0 0 0 5 0z',
  sliders: 'M4 7h9M17 7h3M4 12h3M11 12h9M4 17h9M17 17h3M15 5v4M9 10v4M15 15v4',
  chat: 'M4.5 5.500h15v10h-8l-4 3.500v-3.500h-3z',
  arena: 'M4 6h7v12H4zM13 6h7v12h-7zM6.5 9.500H9M6.5 12.500H9M15.5 9.500H18M15.5 12.500H18',
  check: 'M5 12.500l4.5 4.500L19 7.5',
  cross: 'M6 6l12 12M18 6L6 18',
  warning: 'M12 4.5 21 19.500H3zM12 10v4.500M12 17v.1',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.500M12 7.500v.1',
  arrow: 'M5 12h14M13 6l6 6-6 6',
  back: 'M19 12H5M11 6l-6 6 6 6',
  down: 'M6 9.500l6 6 6-6',
  plus: 'M12 5v14M5 12h14',
  flag: 'M6 21V4M6 5h11l-2 3.5 2 3.500H6',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.200l3.5 2',
  cloud: 'M7 18.500h10a4 4 0 0 0 .6-7.950A6 6 0 0 0 6.2 10.2 4.2 4.2 0 0 0 7 18.500z',
  cloudOff: 'M7 18.500h9M18.5 17.500A4 4 0 0 0 17.6 10.55 6 6 0 0 0 9 6.200M6.2 10.200A4.2 4.2 0 0 0 7 18.500M4 4l16 16',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  user: 'M12 12.500a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-3.5 4-5 7.5-5s6.5 1.5 7.5 5',
  users: 'M9 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.500c.8-3.2 3.4-4.5 6.5-4.500s5.7 1.3 6.5 4.500M16 5.200a3.5 3.5 0 0 1 0 6.600M18 15.300c1.9.6 3.1 1.9 3.5 4.2',
  book: 'M4.5 5.500c3-1 5.5-.5 7.5 1.200v13c-2-1.7-4.5-2.2-7.5-1.200zM19.5 5.500c-3-1-5.5-.5-7.5 1.200v13c2-1.7 4.5-2.2 7.5-1.200z',
  medal: 'M12 20.500a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM9.5 10 6.5 3.500h4l1.5 3.5 1.5-3.500h4L14.5 10',
  log: 'M6 4h12v16H6zM9 8.500h6M9 12h6M9 15.500h4',
  seal: 'M12 3.500l7.5 3v5.500c0 4.5-3.2 7.3-7.5 8.5-4.3-1.2-7.5-4-7.5-8.500V6.500zM8.8 12l2.3 2.3 4.2-4.5',
  pulse: 'M3 12h4l2.5-6 4.5 12 2.5-6H21',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M5.3 18.700l1.4-1.400M17.3 6.700l1.4-1.4',
  moon: 'M19.5 14.500A8 8 0 0 1 9.5 4.500a8 8 0 1 0 10 10z',
  half: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 8h6M12 12h8.500M12 16h6',
  out: 'M10 4.500H5v15h5M9.5 12H20M16 8l4 4-4 4',
  keyboard: 'M3 7h18v10.500H3zM6.5 10.500v.1M10 10.500v.1M13.7 10.500v.1M17.3 10.500v.1M8 14.300h8',
  bulb: 'M9.5 17.500h5M10.5 20.500h3M8.5 14.500C7 13.3 6 11.7 6 9.800a6 6 0 0 1 12 0c0 1.9-1 3.5-2.5 4.7-.6.5-1 1.2-1 2v1h-5v-1c0-.8-.4-1.5-1-2z',
  download: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.500M4.5 19.500h15',
  undo: 'M8 6 4 10l4 4M4 10h10a5.5 5.5 0 0 1 0 11h-3',
  trash: 'M4.5 7h15M9.5 7V4.500h5V7M6.5 7l1 13h9l1-13M10.5 10.500v6M13.5 10.500v6',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c5.5 5.5 5.5 12.5 0 18-5.5-5.5-5.5-12.5 0-18z',
  menu: 'M4 7h16M4 12h16M4 17h16',
  question: 'M9 9.2a3 3 0 1 1 4.6 2.5c-1 .7-1.6 1.2-1.6 2.300M12 17v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  compass: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15.5 8.5l-2 5-5 2 2-5z',
  pick: 'M4 6h16M4 10.5h9M4 15h5M12.5 17.5l2.5 2.5 5-6',
  shrink: 'M5 5h14M5 9h14M5 13h8M5 17h8M17.5 12v7M15 16.5l2.5 2.5 2.5-2.5',
  spark: 'M12 3.5l1.800 5.2 5.2 1.8-5.2 1.800L12 17.5l-1.8-5.2L5 10.5l5.2-1.800zM19 16v4M17 18h4',
  sort: 'M4 5h6v6H4zM14 5h6v6h-6zM4 15h6v4H4zM17 14v6M14 17h6',
  feather: 'M5 20c1-6 4-12.5 14-15.5-.5 6-3 11-9.5 11.5M5 20l5.5-7.5',
  screen: 'M3.5 5h17v11h-17zM9 20h6M12 16v4',
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name, size = 20, className }: { readonly name: IconName; readonly size?: number; readonly className?: string }) {
  return (
    <svg aria-hidden="true" focusable="false" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" className={`shrink-0 ${className ?? ''}`}>
      <path d={SHAPES[name]} />
    </svg>
  );
}

/** The mark of the house: a sheep, seen from the front. */
export function Mark({ size = 32 }: { readonly size?: number }) {
  return <img src="/favicon.svg" alt="" width={size} height={size} className="shrink-0 rounded-[28%]" />;
}
