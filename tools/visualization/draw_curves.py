from pcdet_kd.cli.draw_curves import main

if __name__ == '__main__':
    raise SystemExit(main())
