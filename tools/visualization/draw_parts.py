from pcdet_kd.cli.draw_parts import main

if __name__ == '__main__':
    raise SystemExit(main())
